//! The framing of replies: datagrams of netlink messages (netlink(7)).
//!
//! Pure, and it believes nothing: whatever the bytes are, it ends, never panics and never takes a broken reply for a whole
//! one.

use super::failure::Failure;

/// The fixed part of a row (`struct inet_diag_msg`).
pub const ROW: usize = 72;

/// The kinds below 16 belong to netlink itself.
const NOTHING: u16 = 1;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const OVERRUN: u16 = 4;

/// `NLM_F_DUMP_INTR`.
const INTERRUPTED: u16 = 0x10;

const HEADER: usize = 16;

/// One message and its place in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub body: &'a [u8],
}

/// The messages of a datagram, until its end or the first that is cut short.
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Messages<'a> {
    #[inline]
    fn take(&mut self) -> Option<Message<'a>> {
        let (header, _) = self.0.split_first_chunk::<HEADER>()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let body = self.0.get(HEADER..length)?;
        // The last message of a datagram may lack the padding.
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            body,
        })
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Failure>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let message = self.take();
        if message.is_none() {
            self.0 = &[];
        }
        Some(message.ok_or(Failure::Cut))
    }
}

/// What is known of an answer while it comes in.
pub struct Reply {
    /// The kind of its rows.
    pub kind: u16,
    pub sequence: u32,
    /// Whether it goes on until it says that it is done.
    pub is_dump: bool,
    pub has_changed: bool,
}

impl Reply {
    /// Shows the rows of a datagram and says whether the answer is complete with it.
    #[inline]
    pub fn read(
        &mut self,
        datagram: &[u8],
        see: &mut impl FnMut(&[u8; ROW], &[u8]),
    ) -> Result<bool, Failure> {
        for message in Messages(datagram) {
            let message = message?;
            if message.sequence != self.sequence {
                continue;
            }
            self.has_changed |= message.flags & INTERRUPTED != 0;
            if message.kind == self.kind {
                let (row, attributes) = message.body.split_first_chunk().ok_or(Failure::Cut)?;
                see(row, attributes);
                if !self.is_dump {
                    return Ok(true);
                }
            } else if self.hear(message)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A message that is no row, and whether it is the last.
    #[cold]
    fn hear(&self, message: Message) -> Result<bool, Failure> {
        match message.kind {
            NOTHING => Ok(false),
            // 0 would acknowledge a request; none asks for that, and it is no end of a dump.
            ERROR => match code(message.body)? {
                0 => Ok(false),
                code => Err(Failure::Answer { code }),
            },
            DONE => match code(message.body)? {
                0 if self.has_changed => Err(Failure::Changed),
                0 => Ok(true),
                code => Err(Failure::Answer { code }),
            },
            OVERRUN => Err(Failure::Lost),
            kind => Err(Failure::Unknown { kind }),
        }
    }
}

/// The error number of NLMSG_ERROR and NLMSG_DONE, which come negative.
fn code(body: &[u8]) -> Result<i32, Failure> {
    let code = body.first_chunk().ok_or(Failure::Cut)?;
    Ok(i32::from_ne_bytes(*code).saturating_neg().max(0))
}
