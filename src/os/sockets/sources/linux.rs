//! The three socket sources of Linux.

use super::diag::Diag;
use super::{SourceReader, netstat, procnet};
use crate::model::socket::SocketSource;
use crate::os::Error;

/// In the order in which they are tried.
pub const SOURCES: [SocketSource; 3] = [
    SocketSource::Diag,
    SocketSource::Netstat,
    SocketSource::Procnet,
];

pub fn open(source: SocketSource) -> Result<SourceReader, Error> {
    Ok(match source {
        SocketSource::Diag => SourceReader::Diag(Box::new(Diag::open()?)),
        SocketSource::Netstat => SourceReader::Tables(netstat::read),
        SocketSource::Procnet => SourceReader::Tables(procnet::read),
    })
}
