//! Services of the kernel that open sockets of their own, from `assets/kernel_services.tsv`.

use super::Protocol;

/// Services that a socket may belong to, by their lines in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelServices(u64);

/// What shows that the kernel runs a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelEvidence {
    /// A module, loaded or built in.
    Module(&'static str),
    /// A network device of this type.
    Device(&'static str),
}

/// Ports by which a service is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServicePort {
    Local(u16),
    Remote(u16),
    Any,
}

struct ServiceLine {
    protocol: Protocol,
    port: ServicePort,
    evidence: KernelEvidence,
    name: &'static str,
}

impl KernelServices {
    /// Returns the services that run and are known by one of these ports.
    pub fn of_port(
        protocol: Protocol,
        [local, remote]: [u16; 2],
        runs: impl Fn(KernelEvidence) -> bool,
    ) -> Self {
        Self::matching(|line| {
            let has_port = match line.port {
                ServicePort::Local(port) => port == local,
                ServicePort::Remote(port) => port == remote,
                ServicePort::Any => false,
            };
            has_port && line.protocol == protocol && runs(line.evidence)
        })
    }

    /// Returns the services that run and may have any port.
    pub fn of_any_port(protocol: Protocol, runs: impl Fn(KernelEvidence) -> bool) -> Self {
        Self::matching(|line| {
            line.port == ServicePort::Any && line.protocol == protocol && runs(line.evidence)
        })
    }

    fn matching(is_meant: impl Fn(&ServiceLine) -> bool) -> Self {
        let matching = lines().enumerate().filter(|(_, line)| is_meant(line));
        Self(matching.fold(0, |all, (index, _)| all | 1 << index))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Names of the services, each once.
    pub fn names(self) -> Vec<&'static str> {
        let lines = lines().enumerate();
        let own = lines.filter(|(index, _)| self.0 & 1 << index != 0);
        let mut names: Vec<&str> = Vec::new();
        for (_, line) in own {
            if !names.contains(&line.name) {
                names.push(line.name);
            }
        }
        names
    }
}

/// The lines of the table, at most 64.
fn lines() -> impl Iterator<Item = ServiceLine> {
    let table = include_str!("../../../assets/kernel_services.tsv");
    table.lines().filter_map(service_line).take(64)
}

fn service_line(line: &'static str) -> Option<ServiceLine> {
    let mut parts = line.split('\t');
    let protocol = Protocol::named(parts.next()?)?;
    let port = parts.next()?;
    let port = match port.strip_prefix("to ") {
        Some(remote) => ServicePort::Remote(remote.parse().ok()?),
        None if port == "any" => ServicePort::Any,
        None => ServicePort::Local(port.parse().ok()?),
    };
    let evidence = match parts.next()?.split_once(':')? {
        ("module", name) => KernelEvidence::Module(name),
        ("device", kind) => KernelEvidence::Device(kind),
        _ => return None,
    };
    Some(ServiceLine {
        protocol,
        port,
        evidence,
        name: parts.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Protocol::{Tcp, Udp};

    #[test]
    fn every_line_of_the_kernel_table_parses_and_is_reached() {
        let table = include_str!("../../../assets/kernel_services.tsv");
        let is_line = |line: &&str| !line.starts_with('#');
        let expected = table.lines().filter(is_line).count();
        assert_eq!(lines().count(), expected);
        for line in lines() {
            let runs = |evidence| evidence == line.evidence;
            let services = match line.port {
                ServicePort::Local(port) => KernelServices::of_port(line.protocol, [port, 0], runs),
                ServicePort::Remote(port) => {
                    KernelServices::of_port(line.protocol, [1023, port], runs)
                }
                ServicePort::Any => KernelServices::of_any_port(line.protocol, runs),
            };
            assert!(services.names().contains(&line.name), "{}", line.name);
        }
    }

    #[test]
    fn a_service_is_named_only_with_its_evidence_and_port() {
        let names = |evidence, protocol, ports| {
            let runs = |own| own == evidence;
            let known = KernelServices::of_port(protocol, ports, runs);
            let any = KernelServices::of_any_port(protocol, runs);
            assert_eq!(known.is_empty(), known.names().is_empty());
            [known.names(), any.names()]
        };
        let module = KernelEvidence::Module;
        let wireguard = module("wireguard");
        let none = || Vec::<&str>::new();
        assert_eq!(
            names(wireguard, Udp, [51820, 0]),
            [vec!["WireGuard"], none()]
        );
        assert_eq!(names(wireguard, Udp, [51821, 0]), [none(), none()]);
        let device = KernelEvidence::Device("wireguard");
        assert_eq!(names(device, Udp, [51821, 0]), [none(), vec!["WireGuard"]]);
        assert_eq!(
            names(module("nfsd"), Tcp, [2049, 0]),
            [vec!["NFS server"], none()]
        );
        assert_eq!(
            names(module("nfs"), Tcp, [800, 2049]),
            [vec!["NFS client"], none()]
        );
        assert_eq!(names(module("nfs"), Tcp, [2049, 800]), [none(), none()]);
        assert_eq!(names(module("ext4"), Udp, [51820, 0]), [none(), none()]);
    }

    #[test]
    fn a_kernel_service_is_known_by_its_port_while_it_runs() {
        let runs = |evidence| evidence == KernelEvidence::Module("vxlan");
        let names = |protocol, ports| KernelServices::of_port(protocol, ports, runs).names();
        assert_eq!(names(Udp, [4789, 0]), ["VXLAN"]);
        assert_eq!(names(Tcp, [4789, 0]), [""; 0]);
        assert_eq!(names(Udp, [51820, 0]), [""; 0]);
        let all = KernelServices::of_any_port(Tcp, |_| true).names();
        assert_eq!(all, ["NFS lock manager", "NFS client", "AF_KCM", "SMC"]);
    }
}
