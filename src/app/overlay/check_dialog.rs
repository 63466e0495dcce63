//! The check dialog: whether a port can be used, and why not.
//!
//! It stops nothing, so its keys work at once, also read-only. It shows only the report of its own request.

use crate::app::{App, Effect, Overlay};
use crate::check::{CheckReport, CheckRequest};
use crate::model::port::PortSpec;
use crate::model::socket::Protocol;
use crate::wording::screen::notice;

#[derive(Debug)]
pub struct CheckDialog {
    pub request: CheckRequest,
    /// The last report; it stays while the next is awaited.
    pub report: Option<Box<CheckReport>>,
    /// Number of lines scrolled; drawing stops at the last line.
    pub scroll: u16,
}

impl CheckDialog {
    pub fn is_pending(&self) -> bool {
        let report = self.report.as_ref();
        report.is_none_or(|report| report.findings.request != self.request)
    }

    /// True if connecting is offered: once, and not while a report is awaited.
    pub fn can_connect(&self) -> bool {
        let is_tcp = self.request.spec.protocol == Protocol::Tcp;
        is_tcp && !self.is_pending() && !self.request.connects
    }
}

impl App {
    pub(in crate::app) fn open_check_dialog(&mut self) {
        let Some(spec) = self.port_to_check() else {
            return self.notify(notice::NOTHING_TO_CHECK);
        };
        self.check_port(spec);
    }

    pub(in crate::app) fn check_port(&mut self, spec: PortSpec) {
        let request = CheckRequest {
            spec,
            connects: false,
        };
        self.overlay = Overlay::Check(CheckDialog {
            request,
            report: None,
            scroll: 0,
        });
        self.effects.push(Effect::Check(request));
    }

    /// Returns the port of the row under the cursor, else the only one that the filter names.
    fn port_to_check(&self) -> Option<PortSpec> {
        let Some(row) = self.current_row() else {
            let filtered = self.listing.filter().query.sole_local_port();
            return filtered.map(PortSpec::tcp);
        };
        let socket = &row.endpoint.socket;
        Some(PortSpec {
            protocol: socket.protocol,
            ..PortSpec::tcp(socket.port())
        })
    }

    /// Repeats the check with a connect, if that is offered.
    pub(in crate::app) fn connect(&mut self) {
        if let Overlay::Check(dialog) = &mut self.overlay
            && dialog.can_connect()
        {
            dialog.request.connects = true;
            self.effects.push(Effect::Check(dialog.request));
        }
    }

    pub(in crate::app) fn on_check_report(&mut self, report: Box<CheckReport>) {
        if let Overlay::Check(dialog) = &mut self.overlay
            && dialog.request == report.findings.request
        {
            dialog.report = Some(report);
        }
    }
}

#[cfg(test)]
mod tests;
