//! stub
pub mod machine {
    use crate::model::{ports::EphemeralRange, process::Pid};
    pub struct Machine {
        pub host: String,
        pub ephemeral: EphemeralRange,
        pub me: Option<u32>,
        pub lineage: Vec<Pid>,
        pub executable: Option<std::path::PathBuf>,
        pub home: Option<String>,
        pub is_ssh: bool,
    }
    pub fn facts() -> Machine {
        Machine {
            host: "h".into(),
            ephemeral: EphemeralRange {
                first: 32768,
                last: 60999,
            },
            me: Some(0),
            lineage: vec![],
            executable: None,
            home: None,
            is_ssh: false,
        }
    }
}
pub mod sampler {
    use crate::model::{
        endpoint::Endpoint, ports::EphemeralRange, request::Request, snapshot::Problem,
        tracker::Changes, *,
    };
    pub struct Look {
        pub taken: Moment,
        pub endpoints: Vec<Endpoint>,
        pub problems: Vec<Problem>,
    }
    pub fn look_once(_e: EphemeralRange) -> Look {
        Look {
            taken: Moment {
                instant: std::time::Instant::now(),
                wall: std::time::SystemTime::now(),
            },
            endpoints: vec![],
            problems: vec![],
        }
    }
    pub struct Sampler;
    impl Sampler {
        pub fn start(
            _r: Request,
            _e: EphemeralRange,
            _c: tokio::sync::mpsc::Sender<Changes>,
        ) -> std::io::Result<Self> {
            Ok(Self)
        }
        pub fn request(&self, _r: Request) {}
    }
}
pub mod inspector {
    use crate::model::inspection::*;
    pub struct Inspector;
    impl Inspector {
        pub fn start(_s: tokio::sync::mpsc::Sender<Inspection>) -> std::io::Result<Self> {
            Ok(Self)
        }
        pub fn inspect(&self, _s: Subject) {}
    }
}
pub mod freeing {
    use crate::model::{freeing::*, process::ProcessId};
    pub struct Freer;
    impl Freer {
        pub fn start(_s: tokio::sync::mpsc::Sender<Happening>) -> std::io::Result<Self> {
            Ok(Self)
        }
        pub fn hold(&self, _s: &[ProcessId]) {}
        pub fn perform(&self, _s: Step) {}
        pub fn release(&self) {}
    }
}
pub mod signals {
    pub enum Signal {
        Terminate,
        Hangup,
        Interrupt,
        Continue,
    }
    impl Signal {
        pub fn exit_code(&self) -> u8 {
            1
        }
    }
    pub struct Signals;
    impl Signals {
        pub fn new() -> std::io::Result<Self> {
            Ok(Self)
        }
        pub async fn next(&mut self) -> Signal {
            std::future::pending().await
        }
    }
    pub fn suspend() -> std::io::Result<()> {
        Ok(())
    }
}
