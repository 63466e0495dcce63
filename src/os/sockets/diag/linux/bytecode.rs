//! Bytecode by which the kernel filters sockets (`inet_diag_bc_run` and `inet_diag_bc_audit` in net/ipv4/inet_diag.c).
//!
//! An operation has a code, the offset to jump to if it holds (`yes`) and the one if not (`no`), in bytes from its start. A
//! socket passes if the run ends exactly at the end, and fails if it ends 4 bytes after it. The port of a comparison is in
//! the `no` of a second operation. `INET_DIAG_BC_S_EQ` exists since Linux 5.16; two comparisons do the same everywhere.

/// `INET_DIAG_BC_JMP`: always jumps to `no`.
const JUMP: u8 = 1;

/// Codes that compare a port: at least, at most (`INET_DIAG_BC_S_GE`, `_S_LE`, `_D_GE`, `_D_LE`).
type PortOps = (u8, u8);
const LOCAL: PortOps = (2, 3);
const REMOTE: PortOps = (4, 5);

/// Size of two comparisons of 8 bytes and the jump that follows.
const CLAUSE: u16 = 20;
const COMPARISON: u8 = 8;
const OPERATION: u8 = 4;

/// Sockets with one of these local ports.
pub fn local(ports: &[u16]) -> Vec<u8> {
    any(ports.iter().map(|port| (LOCAL, *port)))
}

/// Sockets with one of these as local or remote port. 0 is skipped: sockets without a remote end have it.
pub fn local_or_remote(ports: &[u16]) -> Vec<u8> {
    let ports = ports.iter().filter(|port| **port != 0);
    any(ports.flat_map(|port| [(LOCAL, *port), (REMOTE, *port)]))
}

/// Encodes an OR of one clause per port. The last clause has no jump: if it matches, the program ends exactly at its
/// end (accept), else 4 bytes beyond (reject).
fn any(clauses: impl Iterator<Item = (PortOps, u16)>) -> Vec<u8> {
    let clauses: Vec<_> = clauses.collect();
    let count = u16::try_from(clauses.len()).unwrap_or(u16::MAX);
    let mut program = Vec::new();
    for (behind, ((least, most), port)) in (0..count).rev().zip(clauses) {
        let steps = [
            (least, COMPARISON, CLAUSE),
            (0, 0, port),
            (most, COMPARISON, CLAUSE - u16::from(COMPARISON)),
            (0, 0, port),
            (JUMP, OPERATION, behind * CLAUSE),
        ];
        let is_last = behind == 0;
        let kept = steps.len() - usize::from(is_last);
        for (code, yes, no) in steps.into_iter().take(kept) {
            program.extend([code, yes]);
            program.extend(no.to_ne_bytes());
        }
    }
    program
}
