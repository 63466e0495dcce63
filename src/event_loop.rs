//! The loop: draw, await the next event, update, perform the effects, draw.
//!
//! The loop owns all state and shares none. Its `select!` only picks the next event, rarest source first, so that a flood
//! of one kind starves no other. What an event means is up to the app, what an effect does to the [`EffectHandler`].

use crate::app::{App, Effect, Event, EventSource};
use crate::check::CheckReport;
use crate::free::ExecEvent;
use crate::model::process::Inspection;
use crate::terminal::Screen;
use crate::tracker::Changes;
use crate::ui;
use anyhow::Context as _;
use crossterm::event::Event as TerminalEvent;
use futures_core::Stream;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};

/// Most events handled between two draws.
const MAX_EVENTS_PER_DRAW: usize = 64;

/// Keys, pasted text and other events of the terminal.
type Input = Pin<Box<dyn Stream<Item = io::Result<TerminalEvent>>>>;

/// Sources of events. One that ends is reported once and is `None` from then on.
pub struct EventChannels {
    pub signals: Receiver<Event>,
    pub inspections: Option<Receiver<Inspection>>,
    pub answers: Option<Receiver<Box<CheckReport>>>,
    pub freeing: Option<UnboundedReceiver<ExecEvent>>,
    pub samples: Option<Receiver<Changes>>,
    pub input: Input,
}

/// Performs the effects that reach outside of the app.
pub trait EffectHandler<W: Write> {
    /// Performs an effect. The returned event is handled next.
    fn perform(&mut self, effect: Effect, screen: &mut Screen<W>) -> io::Result<Option<Event>>;

    /// True if the terminal has gone away without an event.
    fn is_terminal_gone(&self) -> bool;
}

/// Runs until the app quits or the terminal is gone; returns the exit code.
pub async fn run<W: Write>(
    mut app: App,
    mut sources: EventChannels,
    handler: &mut impl EffectHandler<W>,
    screen: &mut Screen<W>,
) -> anyhow::Result<u8> {
    loop {
        draw(&app, screen).context("cannot write to the terminal")?;
        app.on_drawn(now(), ui::shows_all_targets(&app));
        let due = app.next_change();
        let mut event = Some(sources.next(due).await);
        for _ in 0..MAX_EVENTS_PER_DRAW {
            let Some(current) = event.take() else { break };
            if handler.is_terminal_gone() {
                return Ok(EXIT_HANGUP);
            }
            if let Some(code) = handle_event(&mut app, current, handler, screen)? {
                return Ok(code);
            }
            event = sources.ready().await;
        }
    }
}

/// Exit code after the terminal is gone, as after SIGHUP.
const EXIT_HANGUP: u8 = 129;

/// The clock of the event loop, which tests pause.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn draw<W: Write>(app: &App, screen: &mut Screen<W>) -> io::Result<()> {
    let (width, height) = app.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let cursor = ui::draw(app, &mut buffer);
    screen.show(buffer, cursor)
}

/// Updates the app with an event and those that its effects return. Returns the exit code once the app quits.
fn handle_event<W: Write>(
    app: &mut App,
    event: Event,
    handler: &mut impl EffectHandler<W>,
    screen: &mut Screen<W>,
) -> anyhow::Result<Option<u8>> {
    let mut next = Some(event);
    while let Some(event) = next.take() {
        if let Event::Input(TerminalEvent::Resize(width, height)) = &event {
            screen.reset(*width, *height)?;
        }
        for effect in app.update(event, now()) {
            match effect {
                Effect::Quit(code) => return Ok(Some(code)),
                effect => next = handler.perform(effect, screen)?.or(next),
            }
        }
    }
    Ok(None)
}

impl EventChannels {
    /// Waits for the next event; `Event::Due` comes when the app changes by itself.
    async fn next(&mut self, due: Option<Instant>) -> Event {
        use EventSource::{Checks, Freeing, Processes, Sockets};
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(event) = self.signals.recv() => event,
            event = next_of(&mut self.inspections, Receiver::poll_recv, Event::Inspected, Processes) => event,
            event = next_of(&mut self.answers, Receiver::poll_recv, Event::Checked, Checks) => event,
            event = next_of(&mut self.freeing, UnboundedReceiver::poll_recv, Event::Freeing, Freeing) => event,
            event = next_of(&mut self.samples, Receiver::poll_recv, Event::Sampled, Sockets) => event,
            input = next_input(&mut self.input) => input,
            () = timer => Event::Due,
        }
    }

    /// Returns the next event that is already there.
    async fn ready(&mut self) -> Option<Event> {
        tokio::select! {
            biased;
            event = self.next(None) => Some(event),
            () = std::future::ready(()) => None,
        }
    }
}

/// Waits for the next event of a source; returns once that it has ended, and then waits forever.
///
/// Only `poll` tells that a source has ended: a closed, empty channel may not have reported it yet.
async fn next_of<R, T>(
    source: &mut Option<R>,
    mut poll: impl FnMut(&mut R, &mut Context<'_>) -> Poll<Option<T>>,
    event: fn(T) -> Event,
    name: EventSource,
) -> Event {
    let Some(receiver) = source else {
        return std::future::pending().await;
    };
    if let Some(value) = poll_fn(|context| poll(receiver, context)).await {
        return event(value);
    }
    *source = None;
    Event::SourceEnded(name)
}

/// Waits for input. If it fails or ends, the terminal is gone.
async fn next_input(input: &mut Input) -> Event {
    match poll_fn(|context| input.as_mut().poll_next(context)).await {
        Some(Ok(event)) => Event::Input(event),
        Some(Err(_)) | None => Event::Stop(EXIT_HANGUP),
    }
}

#[cfg(test)]
mod tests;
