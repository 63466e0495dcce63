//! The only socket source of other systems than Linux: netstat2.

use super::diag::{Diag, DiagError};
use super::{SourceReader, netstat};
use crate::model::socket::SocketSource;
use crate::os::Error;

pub const SOURCES: [SocketSource; 1] = [SocketSource::Netstat];

pub fn open(source: SocketSource) -> Result<SourceReader, Error> {
    Ok(match source {
        SocketSource::Netstat => SourceReader::Tables(netstat::read),
        SocketSource::Diag => SourceReader::Diag(Box::new(Diag::open()?)),
        SocketSource::Procnet => return Err(DiagError::Unsupported.into()),
    })
}
