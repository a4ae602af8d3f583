//! Signs of life, given while models are trained.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flatleak_work::{Attempt, Board, Running};

use crate::queue::lock;

/// How often it is looked at whether all is over.
const TICK: Duration = Duration::from_millis(50);
/// How often it is asked whether somebody cancelled the run, at most and at least.
const ASKED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// An attempt under way.
#[derive(Clone, Copy, Debug)]
struct Course {
    begun: Instant,
    done: u64,
    total: u64,
}

impl Course {
    fn fraction(&self) -> f64 {
        self.done as f64 / self.total.max(1) as f64
    }
}

/// What this process is at, and whether others want it to go on.
#[derive(Debug)]
pub(crate) struct Pulse<'a> {
    board: &'a Mutex<Board>,
    running: Mutex<BTreeMap<Attempt, Course>>,
    over: AtomicBool,
    cancelled: AtomicBool,
}

impl<'a> Pulse<'a> {
    pub(crate) fn new(board: &'a Mutex<Board>) -> Self {
        let running = Mutex::new(BTreeMap::new());
        Self { board, running, over: AtomicBool::new(false), cancelled: AtomicBool::new(false) }
    }

    /// An attempt begins, of so many epochs.
    pub(crate) fn begin(&self, attempt: &Attempt, total: u64) {
        let course = Course { begun: Instant::now(), done: 0, total };
        lock(&self.running).insert(attempt.clone(), course);
    }

    /// Some epochs of it are done.
    pub(crate) fn step(&self, attempt: &Attempt, epochs: u64) {
        if let Some(course) = lock(&self.running).get_mut(attempt) {
            course.done += epochs;
        }
    }

    /// It has ended: how much of it is done, from 0 to 1.
    pub(crate) fn end(&self, attempt: &Attempt) -> f64 {
        lock(&self.running).remove(attempt).map_or(0.0, |course| course.fraction())
    }

    /// Somebody cancelled the run.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Nothing more will begin.
    pub(crate) fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Gives signs of life until all is over. One that fails is tried again: whoever misses five of them does a task twice, and loses nothing.
    pub(crate) fn run(&self) {
        let every = lock(self.board).every();
        let (mut beaten, mut asked) = (Instant::now(), Instant::now());
        while !self.over.load(Ordering::Relaxed) {
            thread::park_timeout(TICK.min(every / 4));
            if beaten.elapsed() >= every && lock(self.board).beat(&self.now()).is_ok() {
                beaten = Instant::now();
            }
            if asked.elapsed() >= (every / 6).clamp(ASKED.0, ASKED.1) {
                if let Ok(true) = lock(self.board).is_cancelled() {
                    self.cancelled.store(true, Ordering::Relaxed);
                }
                asked = Instant::now();
            }
        }
    }

    fn now(&self) -> Vec<Running> {
        let running = lock(&self.running);
        let of = |(attempt, course): (&Attempt, &Course)| Running {
            attempt: attempt.to_string(),
            fraction: course.fraction(),
            seconds: course.begun.elapsed().as_secs_f64(),
        };
        running.iter().map(of).collect()
    }
}
