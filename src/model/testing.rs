//! Builders for tests: each test names only what matters to it.

use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::process::{
    ExecId, Pid, Process, ProcessId, ProcessTree, SocketCandidates, SocketOrigin, StartTime,
    Supervisor,
};
use crate::model::snapshot::Snapshot;
use crate::model::socket::{
    CompactAddr, Endpoint, EndpointId, Family, Interface, KernelServices, NotFound, NotFoundCause,
    OwnerHint, Owners, Protocol, QueueOrTimer, RawSocket, Relation, Since, Socket, SocketQueue,
    SocketRole, State, family,
};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

static EPOCH: LazyLock<Instant> = LazyLock::new(|| Instant::now() + Duration::from_secs(1_000));

/// A fixed moment `seconds` into the test. The wall clock reads 2026-01-31T10:00:00Z at zero.
pub fn moment(seconds: f64) -> Moment {
    let later = Duration::from_secs_f64(seconds);
    Moment {
        instant: *EPOCH + later,
        wall: SystemTime::UNIX_EPOCH + Duration::from_hours(491_626) + later,
    }
}

pub fn instant(seconds: f64) -> Instant {
    moment(seconds).instant
}

pub struct ProcessBuilder(Process);

/// A process of user `dev` (1000), started an hour before the test begins, by process 1.
pub fn process(pid: u32, name: &str) -> ProcessBuilder {
    ProcessBuilder(Process {
        id: ProcessId {
            pid: Pid(pid),
            start: StartTime(u64::from(pid) * 100),
        },
        exec: Some(ExecId(u64::from(pid))),
        name: name.into(),
        comm: Some(name.into()),
        command: vec![name.into()],
        is_titled: false,
        executable: Some(format!("/usr/bin/{name}").as_str().into()),
        directory: None,
        started_at: Some(moment(0.0).wall - Duration::from_hours(1)),
        parent: Some(Pid(1)),
        group: None,
        session: None,
        uid: Some(1000),
        user: Some("dev".into()),
        terminal: None,
        is_kernel_thread: false,
    })
}

impl ProcessBuilder {
    pub fn command(mut self, line: &str) -> Self {
        self.0.command = line.split(' ').map(Into::into).collect();
        self
    }

    pub fn directory(mut self, path: &str) -> Self {
        self.0.directory = Some(path.into());
        self
    }

    pub fn parent(mut self, pid: u32) -> Self {
        self.0.parent = Some(Pid(pid));
        self
    }

    pub fn user(mut self, uid: u32, name: &str) -> Self {
        self.0.uid = Some(uid);
        self.0.user = Some(name.into());
        self
    }

    pub fn terminal(mut self, name: &str) -> Self {
        self.0.terminal = Some(name.into());
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Process)) -> Self {
        change(&mut self.0);
        self
    }

    pub fn build(self) -> Arc<Process> {
        Arc::new(self.0)
    }
}

pub struct SocketBuilder {
    socket: Socket,
    owner_hint: Option<OwnerHint>,
}

/// A TCP listener on `local`, of user `dev`, whose owner is hidden.
pub fn socket(local: &str) -> SocketBuilder {
    let local: SocketAddr = local.parse().expect("an address and a port");
    let socket = Socket {
        id: EndpointId::Cookie(0),
        protocol: Protocol::Tcp,
        table: family(local.ip()),
        local,
        remote: None,
        interface: None,
        state: Some(State::Listen),
        v6only: None,
        uid: Some(1000),
        user: Some("dev".into()),
        owners: NotFoundCause::OtherUser.into(),
        queue_or_timer: QueueOrTimer::Unknown,
    };
    SocketBuilder {
        socket,
        owner_hint: None,
    }
}

impl SocketBuilder {
    /// An established connection to `remote`.
    pub fn to(mut self, remote: &str) -> Self {
        self.socket.remote = Some(remote.parse().expect("an address and a port"));
        self.socket.state = Some(State::Established);
        self
    }

    /// Its owner was not found for this cause.
    pub fn not_found(mut self, cause: NotFoundCause) -> Self {
        self.socket.owners = cause.into();
        self
    }

    /// Of the kernel itself, as far as full root can tell: no process has it, and these services run.
    pub fn of_kernel(mut self, kernel: KernelServices) -> Self {
        self.socket.owners = Owners::NotFound(NotFound {
            cause: NotFoundCause::NoProcess,
            carriers: Arc::default(),
            kernel,
        });
        self
    }

    /// In this table, whatever its address looks like.
    pub fn table(mut self, table: Family) -> Self {
        self.socket.table = table;
        self
    }

    pub fn udp(mut self) -> Self {
        self.socket.protocol = Protocol::Udp;
        if self.socket.remote.is_none() {
            self.socket.state = Some(State::Unconn);
        }
        self
    }

    pub fn state(mut self, state: State) -> Self {
        self.socket.state = Some(state);
        self
    }

    /// A source such as netstat2 does not report the state of a UDP socket.
    pub fn without_state(mut self) -> Self {
        self.socket.state = None;
        self
    }

    pub fn owner(self, process: &Arc<Process>) -> Self {
        self.owners(&[process])
    }

    pub fn owners(mut self, processes: &[&Arc<Process>]) -> Self {
        self.socket.owners = Owners::Known(processes.iter().copied().cloned().collect());
        self
    }

    /// The owners are not resolved yet.
    pub fn pending(mut self) -> Self {
        self.socket.owners = Owners::Pending;
        self
    }

    pub fn queue(mut self, incoming: u32, outgoing: u32) -> Self {
        self.socket.queue_or_timer = QueueOrTimer::Queue(SocketQueue { incoming, outgoing });
        self
    }

    /// In TIME_WAIT until `end`.
    pub fn waits_until(mut self, end: Instant) -> Self {
        self.socket.state = Some(State::TimeWait);
        self.socket.queue_or_timer = QueueOrTimer::TimeWaitUntil(end);
        self
    }

    /// Bound to an interface with these addresses; index 1 is the loopback one.
    pub fn interface(mut self, index: u32, name: &str, addresses: &[&str]) -> Self {
        self.socket.interface = Some(interface(index, name, addresses));
        self
    }

    /// IPV6_V6ONLY is known.
    pub fn v6only(mut self, v6only: bool) -> Self {
        self.socket.v6only = Some(v6only);
        self
    }

    pub fn without_owner(mut self) -> Self {
        self.socket.owners = Owners::NoProcess;
        self.socket.uid = None;
        self.socket.user = None;
        self
    }

    pub fn user(mut self, uid: u32, name: &str) -> Self {
        self.socket.uid = Some(uid);
        self.socket.user = Some(name.into());
        self
    }

    /// Tells apart sockets that are otherwise equal, as the inode does.
    pub fn owner_hint(mut self, inode: u64) -> Self {
        self.owner_hint = OwnerHint::new(u32::try_from(inode).expect("32 bits"));
        self
    }

    pub fn build(mut self) -> Socket {
        let owner_hint = self.owner_hint;
        let raw_socket = RawSocket {
            owner_hint,
            ..raw_socket(&self.socket)
        };
        self.socket.id = raw_socket.id(0);
        self.socket
    }

    /// The socket as an endpoint that was open before the first poll and has no peer.
    pub fn endpoint(self) -> Endpoint {
        let socket = self.build();
        let role = if socket.holds_port() {
            SocketRole::Unconnected
        } else {
            SocketRole::Unknown
        };
        Endpoint {
            socket,
            since: Since::Initial(instant(0.0)),
            state_since: instant(0.0),
            relation: Relation {
                role,
                is_local: true,
                peer: None,
                shares_port: false,
            },
        }
    }
}

/// An interface; the one with index 1 is loopback.
pub fn interface(index: u32, name: &str, addresses: &[&str]) -> Arc<Interface> {
    let ips = addresses.iter().map(|ip| ip.parse().expect("an address"));
    Arc::new(Interface {
        index,
        name: Some(name.into()),
        is_loopback: index == 1,
        addresses: ips.collect(),
    })
}

/// A poll at `seconds` that saw these sockets and had no problem.
pub fn snapshot(seconds: f64, sockets: Vec<SocketBuilder>) -> Snapshot {
    Snapshot {
        taken: moment(seconds),
        took: Duration::from_millis(1),
        sockets: sockets.into_iter().map(SocketBuilder::build).collect(),
        problems: Vec::new(),
    }
}

/// The socket as a source reports it.
pub fn raw_socket(socket: &Socket) -> RawSocket {
    let (cookie, owner_hint) = match socket.id {
        EndpointId::Cookie(cookie) => (cookie, None),
        EndpointId::Unconnected { owner_hint, .. } => (0, owner_hint),
        EndpointId::Connection { .. } => (0, None),
    };
    let half = |number: u64| u32::try_from(number & 0xffff_ffff).expect("half a number");
    RawSocket {
        cookie: [half(cookie), half(cookie >> 32)],
        protocol: socket.protocol,
        table: socket.table,
        state: socket.state,
        v6only: socket.v6only,
        local: socket.local.into(),
        remote: socket.remote.map_or(CompactAddr::NONE, CompactAddr::from),
        interface: socket
            .interface
            .as_ref()
            .map_or(0, |interface| interface.index),
        owner_hint,
        uid: socket.uid.unwrap_or(RawSocket::NO_USER),
        queue: socket.queue().unwrap_or(SocketQueue::UNKNOWN),
    }
}

/// A process without relatives, supervisor and restrictions.
pub fn process_tree(process: ProcessId) -> ProcessTree {
    ProcessTree {
        process,
        ancestors: Vec::new(),
        descendants: Vec::new(),
        init: None,
        group: Vec::new(),
        supervisor: Supervisor::default(),
        restrictions: Vec::new(),
        run_states: Vec::new(),
    }
}

/// Candidates of a socket of user 1000, in an unknown control group.
pub fn socket_candidates(socket: EndpointId, processes: &[&Arc<Process>]) -> SocketCandidates {
    SocketCandidates {
        socket,
        origin: SocketOrigin {
            uid: 1000,
            cgroup: None,
        },
        processes: processes.iter().copied().cloned().collect(),
        others: 0,
    }
}

/// The environment of user 1000 on `build-07`, changed as the test needs it.
pub fn environment(change: impl FnOnce(&mut Environment)) -> &'static Environment {
    let mut environment = Environment {
        host: "build-07".to_owned(),
        uid: Some(1000),
        ..Environment::default()
    };
    change(&mut environment);
    Box::leak(Box::new(environment))
}
