//! Parses replies: datagrams of netlink messages (netlink(7)).
//!
//! Trusts nothing: whatever the bytes are, it ends, does not panic and does not take a malformed reply for a complete one.

use super::diag_error::DiagError;

/// Size of the fixed part of a row (`struct inet_diag_msg`).
pub const ROW: usize = 72;

/// Kinds below 16 belong to netlink itself.
const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;

/// `NLM_F_DUMP_INTR`.
const NLM_F_DUMP_INTR: u16 = 0x10;

const HEADER: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetlinkMessage<'a> {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub body: &'a [u8],
}

impl<'a> NetlinkMessage<'a> {
    /// Returns the fixed part of a row and its attributes.
    #[inline]
    pub fn row(self) -> Result<(&'a [u8; ROW], &'a [u8]), DiagError> {
        self.body.split_first_chunk().ok_or(DiagError::Truncated)
    }
}

/// Messages of a datagram, up to the first truncated one.
pub struct NetlinkMessages<'a>(pub &'a [u8]);

impl<'a> NetlinkMessages<'a> {
    #[inline]
    fn take(&mut self) -> Option<NetlinkMessage<'a>> {
        let (header, _) = self.0.split_first_chunk::<HEADER>()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let body = self.0.get(HEADER..length)?;
        // The last message of a datagram may lack the padding.
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(NetlinkMessage {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            body,
        })
    }
}

impl<'a> Iterator for NetlinkMessages<'a> {
    type Item = Result<NetlinkMessage<'a>, DiagError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let message = self.take();
        if message.is_none() {
            self.0 = &[];
        }
        Some(message.ok_or(DiagError::Truncated))
    }
}

/// State of a reply that is being received.
pub struct ReplyParser {
    /// Kind of its rows.
    pub kind: u16,
    pub sequence: u32,
    /// True if it continues until NLMSG_DONE.
    pub is_dump: bool,
    pub is_interrupted: bool,
}

impl ReplyParser {
    /// Emits the rows of a datagram; true if the reply is complete.
    #[inline]
    pub fn read(
        &mut self,
        datagram: &[u8],
        emit: &mut impl FnMut(&[u8; ROW], &[u8]),
    ) -> Result<bool, DiagError> {
        for message in NetlinkMessages(datagram) {
            let message = message?;
            if message.sequence != self.sequence {
                continue;
            }
            self.is_interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            if message.kind == self.kind {
                let (row, attributes) = message.row()?;
                emit(row, attributes);
                if !self.is_dump {
                    return Ok(true);
                }
            } else if self.read_control(message)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a message that is no row; true if it is the last.
    #[cold]
    fn read_control(&self, message: NetlinkMessage) -> Result<bool, DiagError> {
        match message.kind {
            NLMSG_NOOP => Ok(false),
            // 0 acknowledges a request, which none asks for; it does not end a dump.
            kind @ (NLMSG_ERROR | NLMSG_DONE) => match code(message.body)? {
                0 if kind == NLMSG_ERROR => Ok(false),
                0 if self.is_interrupted => Err(DiagError::Interrupted),
                0 => Ok(true),
                code => Err(DiagError::ErrorReply { code }),
            },
            NLMSG_OVERRUN => Err(DiagError::Overrun),
            kind => Err(DiagError::UnknownMessage { kind }),
        }
    }
}

/// Error number of NLMSG_ERROR and NLMSG_DONE, which is negative there.
fn code(body: &[u8]) -> Result<i32, DiagError> {
    let code = body.first_chunk().ok_or(DiagError::Truncated)?;
    Ok(i32::from_ne_bytes(*code).saturating_neg().max(0))
}
