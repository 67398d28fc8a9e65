//! A small deterministic fuzzer for the parsers that meet foreign bytes, on the stable toolchain.
//!
//! Every input follows from its number: seeds of valid inputs, mutated, and texts made of a target's own words. The
//! targets stand beside their parsers as tests, in `fuzz_tests.rs`; the crates that have some include this file.
//!
//! - `SWATH_FUZZ=10000000` inputs of each target, a few thousand by default;
//! - `SWATH_FUZZ_FROM=N` begins with input number N, to see one again.
//!
//! A panic, an input that takes longer than [`SLOW`], and one that takes more memory than [`memory_limit`] fail the
//! test and show the input. The last input of a process that was killed (a stack that overflowed) is in the file
//! `swath-fuzz-TARGET` in the folder for temporary files.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many inputs a target gets when nothing is said.
const FEW: u64 = 4_000;
/// How much processor time one input may take.
const SLOW: Duration = Duration::from_secs(3);
/// After this an input is taken to hang, and the process ends.
const HANGS: Duration = Duration::from_secs(60);
/// The longest input.
const LONGEST: usize = 64 << 10;
/// As the threads that read messages have.
const STACK_BYTES: usize = 2 << 20;

/// What a target's inputs are made of.
pub(crate) struct Target<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Valid inputs, and those that were trouble once.
    pub(crate) seeds: &'a [&'a str],
    /// Words of its language.
    pub(crate) words: &'a [&'a str],
    /// How often one word may be repeated in a row: the depth of nested brackets.
    pub(crate) depth: usize,
}

/// How much memory an input may take at a time.
fn memory_limit(input: &[u8]) -> usize {
    (16 << 20) + 4096 * input.len()
}

impl Target<'_> {
    /// Gives `check` as many inputs as are asked for.
    pub(crate) fn run(&self, check: impl Fn(&[u8]) + Send + Sync) {
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || self.run_here(&check));
            let ended = worker.expect("a thread for the target").join();
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
    }

    fn run_here(&self, check: &impl Fn(&[u8])) {
        let number = |name: &str| std::env::var(name).ok()?.parse().ok();
        let count: u64 = number("SWATH_FUZZ").unwrap_or(FEW);
        let from: u64 = number("SWATH_FUZZ_FROM").unwrap_or(0);
        let watch = Watch::start(self.name);
        let mut last = LastInput::open(self.name);
        let began = Instant::now();
        let (mut bytes, mut slowest) = (0, (Duration::ZERO, from));
        for index in from..from + count {
            let input = self.input(index);
            bytes += input.len();
            last.write(&input);
            watch.begin(index);
            let took = self.check_one(index, &input, check);
            slowest = slowest.max((took, index));
        }
        watch.begin(u64::MAX);
        println!(
            "{}: {count} inputs, {} MB, {:.1} s; the slowest, number {}, took {:.1} ms",
            self.name,
            bytes >> 20,
            began.elapsed().as_secs_f64(),
            slowest.1,
            slowest.0.as_secs_f64() * 1e3
        );
    }

    fn check_one(&self, index: u64, input: &[u8], check: &impl Fn(&[u8])) -> Duration {
        let began = processor_time();
        let before = reset_peak();
        let ended = catch_unwind(AssertUnwindSafe(|| check(input)));
        let took = processor_time().saturating_sub(began);
        let memory = PEAK.get().saturating_sub(before);
        let shown = || {
            let text = String::from_utf8_lossy(&input[..input.len().min(2000)]);
            format!(
                "{} on input {index} of {} bytes:\n{text:?}",
                self.name,
                input.len()
            )
        };
        if let Err(panic) = ended {
            eprintln!("a panic in {}", shown());
            std::panic::resume_unwind(panic);
        }
        assert!(took < SLOW, "{took:?} for {}", shown());
        assert!(
            memory <= memory_limit(input),
            "{memory} bytes of memory for {}",
            shown()
        );
        took
    }

    /// Input number `index`.
    fn input(&self, index: u64) -> Vec<u8> {
        let mut random = Random(index ^ (self.name.len() as u64) << 56);
        let mut input = match random.below(20) {
            0..11 => self.seed(&mut random),
            11..14 => {
                let (one, other) = (self.seed(&mut random), self.seed(&mut random));
                let (end, start) = (random.below(one.len() + 1), random.below(other.len() + 1));
                [&one[..end], &other[start..]].concat()
            }
            14..19 => {
                let count = random.below(30);
                (0..count).flat_map(|_| self.word(&mut random)).collect()
            }
            _ => (0..random.below(200))
                .map(|_| random.next().to_le_bytes()[0])
                .collect(),
        };
        for _ in 0..random.below(5) {
            self.mutate(&mut input, &mut random);
        }
        input.truncate(LONGEST);
        input
    }

    fn seed(&self, random: &mut Random) -> Vec<u8> {
        random
            .choose(self.seeds)
            .map(|seed| seed.as_bytes().to_vec())
            .unwrap_or_default()
    }

    fn word(&self, random: &mut Random) -> Vec<u8> {
        const ODD: &[&str] = &[
            "\0",
            "\r\n",
            "\n",
            "\t",
            " ",
            "é",
            "e\u{301}",
            "🛰",
            "\u{feff}",
            "\u{202e}",
            "\u{2028}",
            "\"",
            "'",
            "\\",
            "0",
            "-1",
            "99999999999999999999999",
            "1e400",
            "{}",
            "[]",
            "null",
            "\u{1f}",
        ];
        let words = if random.below(4) == 0 {
            ODD
        } else {
            self.words
        };
        random.choose(words).unwrap_or(&"").as_bytes().to_vec()
    }

    fn mutate(&self, input: &mut Vec<u8>, random: &mut Random) {
        let at = random.below(input.len() + 1);
        let end = at + random.below(input.len() - at + 1).min(random.below(40));
        match random.below(9) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => input[at] = random.next().to_le_bytes()[0],
            2 => drop(input.drain(at..end)),
            3 => input.truncate(at),
            4 => {
                let part = input[at..end].to_vec();
                let to = random.below(input.len() + 1);
                input.splice(to..to, part);
            }
            5 => drop(input.splice(at..end, self.word(random))),
            6 => {
                // Mostly few: what is deep takes long.
                let times = random.below(6) * random.below(6)
                    + if random.below(200) == 0 {
                        random.below(self.depth)
                    } else {
                        0
                    };
                let word = self.word(random);
                let many = word.repeat(times.min(LONGEST / word.len().max(1)));
                input.splice(at..at, many);
            }
            7 => {
                let other = self.seed(random);
                input.splice(at..at, other);
            }
            _ => drop(input.splice(at..at, self.word(random))),
        }
    }
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `limit`; 0 when there is none.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = limit.max(1) as u64;
        usize::try_from(self.next() % limit).unwrap_or(0)
    }

    /// One of `values`.
    pub(crate) fn choose<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        values.get(self.below(values.len()))
    }
}

/// A number that follows from the bytes, for a target that must decide something about an input.
pub(crate) fn random_of(input: &[u8]) -> Random {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Random(input.iter().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// The processor time of this thread: other programs on the machine do not count.
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call fills the structure that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Ends the process when an input hangs.
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn start(name: &str) -> Self {
        let index = Arc::new(AtomicU64::new(u64::MAX));
        let (watched, name) = (Arc::downgrade(&index), name.to_owned());
        std::thread::spawn(move || {
            let mut seen = u64::MAX;
            loop {
                std::thread::sleep(HANGS);
                let Some(index) = watched.upgrade() else {
                    return;
                };
                let now = index.load(Ordering::Relaxed);
                if now != u64::MAX && now == seen {
                    eprintln!("{name} hangs on input {now}");
                    std::process::abort();
                }
                seen = now;
            }
        });
        Self(index)
    }

    fn begin(&self, index: u64) {
        self.0.store(index, Ordering::Relaxed);
    }
}

/// The last input, in memory that outlives the process.
struct LastInput {
    map: *mut u8,
}

impl LastInput {
    fn open(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swath-fuzz-{name}"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .expect("a file for the last input");
        file.set_len(8 + LONGEST as u64)
            .expect("room for the last input");
        // SAFETY: a new mapping of a file of that length; nothing else uses its address.
        let map = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                8 + LONGEST,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        assert!(map != libc::MAP_FAILED, "the last input cannot be mapped");
        Self { map: map.cast() }
    }

    /// The length in 8 bytes, then the input.
    fn write(&mut self, input: &[u8]) {
        let length = (input.len() as u64).to_le_bytes();
        // SAFETY: the mapping has room for the length and the longest input.
        unsafe {
            std::ptr::copy_nonoverlapping(length.as_ptr(), self.map, 8);
            std::ptr::copy_nonoverlapping(input.as_ptr(), self.map.add(8), input.len());
        }
    }
}

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// What the thread holds now; the peak is counted from here.
fn reset_peak() -> usize {
    PEAK.set(HELD.get());
    HELD.get()
}

/// Counts what each thread holds.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(added: usize, removed: usize) {
    // Not there any more while a thread ends.
    let _ = HELD.try_with(|held| {
        held.set(held.get().wrapping_add(added).wrapping_sub(removed));
        let _ = PEAK.try_with(|peak| {
            // What another thread gave us to free may take the count below zero.
            if held.get() < usize::MAX / 2 {
                peak.set(peak.get().max(held.get()));
            }
        });
    });
}

// SAFETY: everything is the system's allocator; the counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as asked.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as asked.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as asked.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as asked.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
