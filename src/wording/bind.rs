//! Result of a bind in a sentence.

use crate::model::bind::BindResult;

/// Describes the result of a bind: `the address is in use`.
pub fn bind_result(result: &BindResult) -> String {
    let text = match result {
        BindResult::Usable => "it can be bound",
        BindResult::OnlyWithReuse => "it can be bound only with SO_REUSEADDR",
        BindResult::InUse => "the address is in use",
        BindResult::NotPermitted => "you are not permitted to bind it",
        BindResult::NoSuchAddress => "this machine has no such address",
        BindResult::Failed(reason) => reason,
    };
    text.to_owned()
}
