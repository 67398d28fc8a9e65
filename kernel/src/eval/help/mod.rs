//! Help for somebody who types. The kernel's side of the helping process: starts it, asks it, and starts it again
//! whenever it fails, without end.

mod analysis;
pub(crate) mod api;
mod document;
mod gap;
mod items;
mod messages;
pub(crate) mod names;
mod page;
pub(crate) mod process;
mod project;
mod start;
mod without_cargo;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::ChildStdout;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use self::api::Api;
use self::items::Items;
pub(crate) use self::messages::Place;
use self::messages::{CrateFiles, Kind, Message, Reply};
use self::start::Process;
use super::interface::{Completions, EngineOptions, MimeBundle};
use super::session::Session;
use super::shared::lock;

/// A process that has answered before and is silent for so long hangs.
const SILENCE: Duration = Duration::from_secs(25);
/// Failures longer ago than this are forgotten.
const MEMORY: Duration = Duration::from_secs(60);
/// The longest wait between two starts of a process that has answered, and of one that never does.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const LONGEST_WAIT_WITHOUT_ANSWER: Duration = Duration::from_secs(10);

/// Who waits for an answer, and what they get when there is none.
enum Asker {
    Completion(oneshot::Sender<Option<Completions>>, Option<Completions>),
    Inspection(oneshot::Sender<Option<MimeBundle>>, Option<MimeBundle>),
}

impl Asker {
    fn kind(&self) -> Kind {
        match self {
            Self::Completion(..) => Kind::Complete,
            Self::Inspection(..) => Kind::Inspect,
        }
    }

    fn has_own_answer(&self) -> bool {
        match self {
            Self::Completion(_, otherwise) => otherwise.is_some(),
            Self::Inspection(_, otherwise) => otherwise.is_some(),
        }
    }

    fn is_gone(&self) -> bool {
        match self {
            Self::Completion(sender, _) => sender.is_closed(),
            Self::Inspection(sender, _) => sender.is_closed(),
        }
    }

    /// Leaves somebody who has asked something newer with what is known without rust-analyzer. Who inspects hears that
    /// the question was dropped, and may ask again.
    fn dismiss(self) {
        if matches!(self, Self::Completion(..)) {
            self.answer(Reply::default());
        }
    }

    fn answer(self, reply: Reply) {
        match self {
            Self::Completion(sender, otherwise) => {
                drop(sender.send(reply.completions.or(otherwise)));
            }
            Self::Inspection(sender, otherwise) => drop(sender.send(reply.bundle.or(otherwise))),
        }
    }
}

struct Waiting {
    asker: Asker,
    place: Place,
}

#[derive(Default)]
struct State {
    /// How to start the process; none before the engine has started.
    how: Option<(EngineOptions, &'static Session)>,
    /// Where the library's sources are.
    sources: Option<std::path::PathBuf>,
    /// The library's names, once somebody has needed them.
    api: Option<Arc<Api>>,
    /// Whether there will never be a process.
    is_hopeless: bool,
    process: Option<Process>,
    /// Tells this process from earlier ones.
    generation: u64,
    /// Whether it has found something.
    is_ready: bool,
    /// Since when it owes an answer.
    silent_since: Option<Instant>,
    /// When processes failed, of late.
    failures: Vec<Instant>,
    /// What a new process must learn.
    items: Items,
    crates: Option<CrateFiles>,
    waiting: BTreeMap<u64, Waiting>,
    last_id: u64,
}

/// A handle to the helping process; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Help(Arc<Mutex<State>>);

impl std::fmt::Debug for Help {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Help")
    }
}

impl Help {
    /// Starts the process, which needs seconds until its first answer.
    pub(crate) fn start(&self, options: &EngineOptions, session: &'static Session) {
        let mut state = lock(&self.0);
        state.how = Some((options.clone(), session));
        self.ensure_process(&mut state);
    }

    /// Takes over what a cell has defined, or learns that a command may have changed the crates that cells use.
    pub(crate) fn learn(&self, code: &str) {
        let mut state = lock(&self.0);
        if !code.starts_with(':') {
            state.items.learn(code);
            let items = state.items.text();
            state.tell(&Message::Items(items));
        }
        state.tell_crates();
    }

    /// Forgets everything, with a new process.
    pub(crate) fn forget(&self) {
        let mut state = lock(&self.0);
        state.items.clear();
        state.failures.clear();
        state.end_process();
        self.ensure_process(&mut state);
    }

    /// Ends the process, for good.
    pub(crate) fn stop(&self) {
        let mut state = lock(&self.0);
        state.how = None;
        state.is_hopeless = true;
        state.end_process();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        answer_all(waiting);
    }

    /// Whether rust-analyzer has read what it needs.
    pub(crate) fn is_ready(&self) -> bool {
        lock(&self.0).is_ready
    }

    /// The library's public names, while rust-analyzer is not there to tell them.
    pub(crate) fn api(&self) -> Option<Arc<Api>> {
        let is_ready = lock(&self.0).is_ready;
        if is_ready { None } else { self.names() }
    }

    fn names(&self) -> Option<Arc<Api>> {
        let mut state = lock(&self.0);
        if state.api.is_none() {
            let sources = state.sources.clone()?;
            state.api = Some(Arc::new(Api::read(&sources)));
        }
        state.api.clone()
    }

    /// The names of the library's that every cell has.
    pub(crate) fn prelude(&self) -> Vec<String> {
        self.names()
            .map_or_else(Vec::new, |api| api.prelude().to_vec())
    }

    /// What of the library is named like that, or nearly.
    pub(crate) fn named(&self, name: &str) -> Vec<String> {
        self.names().map_or_else(Vec::new, |api| api.named(name))
    }

    /// Tells where the library is, before the engine has started.
    pub(crate) fn library_is_in(&self, folder: &std::path::Path) {
        lock(&self.0).sources = Some(folder.join("swath-api/src"));
    }

    /// Completes at `place`, or answers with `otherwise` when rust-analyzer knows nothing or is not there.
    pub(crate) fn complete(
        &self,
        place: Place,
        otherwise: Option<Completions>,
        answer: oneshot::Sender<Option<Completions>>,
    ) {
        self.ask(place, Asker::Completion(answer, otherwise));
    }

    /// Says what the name at `place` is, or answers with `otherwise`.
    pub(crate) fn inspect(
        &self,
        place: Place,
        otherwise: Option<MimeBundle>,
        answer: oneshot::Sender<Option<MimeBundle>>,
    ) {
        self.ask(place, Asker::Inspection(answer, otherwise));
    }

    /// Asks. Earlier questions of the same kind, from before the last key was pressed, are answered at once with what
    /// is known without rust-analyzer, so that there is never more than one.
    fn ask(&self, place: Place, asker: Asker) {
        let mut state = lock(&self.0);
        let stale = state.take_stale(asker.kind());
        let hangs = state.is_ready
            && state
                .silent_since
                .is_some_and(|since| since.elapsed() > SILENCE);
        if hangs {
            state.end_process();
            self.ensure_process(&mut state);
        }
        // What is known without it need not wait for rust-analyzer to load.
        let waits = !state.is_hopeless && (state.is_ready || !asker.has_own_answer());
        let at_once = if waits {
            state.last_id += 1;
            let id = state.last_id;
            state.tell(&Message::Ask {
                id,
                kind: asker.kind(),
                place: place.clone(),
            });
            if state.process.is_some() {
                state.silent_since.get_or_insert_with(Instant::now);
            }
            state.waiting.insert(id, Waiting { asker, place });
            None
        } else {
            Some(asker)
        };
        drop(state);
        for waiting in stale.into_values() {
            waiting.asker.dismiss();
        }
        if let Some(asker) = at_once {
            asker.answer(Reply::default());
        }
    }

    /// Starts the process unless it runs.
    fn ensure_process(&self, state: &mut State) {
        let Some((options, session)) = state.how.as_ref().filter(|_| state.process.is_none())
        else {
            return;
        };
        let started = start::start(options, session);
        state.generation += 1;
        let (generation, shared) = (state.generation, self.clone());
        let output = started.map(|(process, output)| {
            state.process = Some(process);
            output
        });
        let reader = std::thread::Builder::new()
            .name("swath-replies".to_owned())
            .spawn(move || {
                if let Ok(output) = output {
                    shared.read_replies(output, generation);
                }
                shared.restart(generation);
            });
        if reader.is_err() {
            // Nobody would hear its answers.
            state.end_process();
        }
        state.introduce();
    }

    /// Passes answers on until the process ends.
    fn read_replies(&self, output: ChildStdout, generation: u64) {
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { break };
            let Ok(reply) = serde_json::from_str::<Reply>(&line) else {
                continue;
            };
            let mut state = lock(&self.0);
            if state.generation == generation {
                if reply.id == 0 {
                    state.is_ready = true;
                    // Nobody needs them any more.
                    state.api = None;
                }
                let owes = state.waiting.keys().any(|id| *id != reply.id);
                state.silent_since = owes.then(Instant::now);
            }
            let waiting = state.waiting.remove(&reply.id);
            drop(state);
            if let Some(waiting) = waiting {
                waiting.asker.answer(reply);
            }
        }
    }

    /// Starts another process after one that ended by itself: at once, or after a while when it fails again and again.
    fn restart(&self, generation: u64) {
        let mut state = lock(&self.0);
        if state.generation != generation || state.how.is_none() {
            return;
        }
        let was_ready = state.is_ready;
        // The question that it was about is lost; one that it never came to is asked again.
        let lost = if was_ready {
            std::mem::take(&mut state.waiting)
        } else {
            BTreeMap::new()
        };
        state.end_process();
        state.failures.retain(|failure| failure.elapsed() < MEMORY);
        state.failures.push(Instant::now());
        let wait = wait_before_start(state.failures.len(), was_ready);
        drop(state);
        answer_all(lost);
        std::thread::sleep(wait);
        let mut state = lock(&self.0);
        if state.generation == generation {
            self.ensure_process(&mut state);
        }
    }
}

/// How long to wait after so many failures within a minute.
fn wait_before_start(failures: usize, was_ready: bool) -> Duration {
    let longest = if was_ready {
        LONGEST_WAIT
    } else {
        LONGEST_WAIT_WITHOUT_ANSWER
    };
    let doublings = u32::try_from(failures.saturating_sub(2))
        .unwrap_or(u32::MAX)
        .min(10);
    if failures < 2 {
        Duration::ZERO
    } else {
        (Duration::from_millis(250) * 2_u32.pow(doublings)).min(longest)
    }
}

fn answer_all(waiting: BTreeMap<u64, Waiting>) {
    for (id, waiting) in waiting {
        waiting.asker.answer(Reply::empty(id));
    }
}

impl State {
    /// Removes the questions of a kind, which a newer one replaces, and those that nobody waits for any more.
    fn take_stale(&mut self, kind: Kind) -> BTreeMap<u64, Waiting> {
        let (stale, current) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, waiting)| waiting.asker.kind() == kind || waiting.asker.is_gone());
        self.waiting = current;
        stale
    }

    /// Sends a message, when there is a process to take it.
    fn tell(&mut self, message: &Message) {
        if let Some(process) = &self.process {
            process.tell(message);
        }
    }

    /// Tells a process which crates cells use, when they are others than it knows.
    fn tell_crates(&mut self) {
        let Some((options, session)) = &self.how else {
            return;
        };
        let crates = start::crate_files(options, session);
        if self.crates.as_ref() != Some(&crates) {
            self.tell(&Message::Crate(crates.clone()));
            self.crates = Some(crates);
        }
    }

    /// Tells a new process everything.
    fn introduce(&mut self) {
        self.crates = None;
        self.tell_crates();
        let items = self.items.text();
        self.tell(&Message::Items(items));
        let unanswered: Vec<Message> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| !waiting.asker.is_gone())
            .map(|(id, waiting)| Message::Ask {
                id: *id,
                kind: waiting.asker.kind(),
                place: waiting.place.clone(),
            })
            .collect();
        for message in &unanswered {
            self.tell(message);
        }
    }

    fn end_process(&mut self) {
        self.is_ready = false;
        self.silent_since = None;
        if let Some(process) = self.process.take() {
            process.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_started_again_without_end_and_with_patience() {
        assert_eq!(wait_before_start(1, true), Duration::ZERO);
        assert_eq!(wait_before_start(2, true), Duration::from_millis(250));
        assert_eq!(wait_before_start(1000, true), LONGEST_WAIT);
        assert_eq!(wait_before_start(1, false), Duration::ZERO);
        assert_eq!(wait_before_start(1000, false), LONGEST_WAIT_WITHOUT_ANSWER);
    }

    fn place(code: &str) -> Place {
        Place {
            code: code.to_owned(),
            cursor: code.chars().count(),
            ..Place::default()
        }
    }

    #[test]
    fn a_newer_question_answers_the_older_ones() {
        let help = Help::default();
        let mut answers = Vec::new();
        for length in 1..=66 {
            let (sender, receiver) = oneshot::channel();
            help.complete(place(&"words."[..length.min(6)]), None, sender);
            answers.push(receiver);
        }
        let (sender, mut inspection) = oneshot::channel();
        help.inspect(place("words"), None, sender);
        let last = answers.pop();
        assert!(
            answers
                .iter_mut()
                .all(|answer| answer.try_recv() == Ok(None))
        );
        assert!(
            last.is_some_and(|mut answer| answer.try_recv().is_err()),
            "the newest one waits"
        );
        assert!(
            inspection.try_recv().is_err(),
            "other kinds of questions are not touched"
        );
        assert_eq!(lock(&help.0).waiting.len(), 2);
        help.stop();
        assert_eq!(inspection.try_recv(), Ok(None));
    }

    #[test]
    fn what_names_tell_does_not_wait() {
        let help = Help::default();
        let known = Completions {
            matches: Vec::new(),
            start: 0,
            end: 1,
        };
        let (sender, mut answer) = oneshot::channel();
        help.complete(place("w"), Some(known.clone()), sender);
        assert_eq!(answer.try_recv(), Ok(Some(known)));
    }
}
