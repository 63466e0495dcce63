pub mod freeing;
