//! Where a thread is when a signal comes, and whether it can be left there: see [`super::stop`].
//!
//! All of it runs in a signal handler: no allocation, no lock.

use std::ffi::{c_int, c_void};

use super::objects::{Owner, owner_of};

/// How many frames of the C library may lie between a system call that waits and the standard library: a `join` has
/// four, and newer versions put three more below each call that can be cancelled.
const MOST_C_FRAMES: u32 = 8;

/// Where a thread was when the signal came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The next instruction.
    instruction: usize,
    /// The register in which a system call's number is put and its result comes back.
    call: i64,
    /// The bytes of the instruction that makes a system call.
    call_instruction: &'static [u8],
}

#[cfg(target_arch = "x86_64")]
impl Place {
    /// # Safety
    /// `context` is what the system has given to a handler of signals.
    pub(super) unsafe fn of(context: *const c_void) -> Option<Self> {
        // SAFETY: the caller passes what the system gave it.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let register = |number: c_int| registers[number as usize];
        Some(Self {
            instruction: register(libc::REG_RIP) as usize,
            call: register(libc::REG_RAX),
            call_instruction: &[0x0f, 0x05],
        })
    }
}

#[cfg(target_arch = "aarch64")]
impl Place {
    /// # Safety
    /// `context` is what the system has given to a handler of signals.
    pub(super) unsafe fn of(context: *const c_void) -> Option<Self> {
        // SAFETY: the caller passes what the system gave it.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
        Some(Self {
            instruction: registers.pc as usize,
            // Before the call the number is in another register than the result after it.
            call: registers.regs[0] as i64,
            call_instruction: &[0x01, 0x00, 0x00, 0xd4],
        })
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Place {
    /// # Safety
    /// `context` is what the system has given to a handler of signals.
    pub(super) unsafe fn of(_context: *const c_void) -> Option<Self> {
        None
    }
}

/// How a thread stands to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    None,
    /// It has waited in it, and goes on waiting after the handler.
    Waits,
    /// It has just made one.
    Made,
}

impl Place {
    /// Whether nobody needs what the thread may hold at this place; `mark` is an address on its stack between the
    /// cell's frames and ours.
    pub(super) fn can_be_left(self, mark: usize) -> bool {
        let call = match owner_of(self.instruction) {
            Owner::Cell | Owner::Leaf => Call::None,
            Owner::C | Owner::Std => match self.system_call() {
                Call::None => return false,
                call => call,
            },
            Owner::Library | Owner::Other => return false,
        };
        Walk::from(self.instruction, mark, call).walks_harmless_frames()
    }

    fn system_call(self) -> Call {
        let length = self.call_instruction.len();
        let is_call = |address: usize| {
            // SAFETY: the address is in the code of a loaded object, or right before it in the same one.
            let bytes = unsafe {
                std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(address), length)
            };
            bytes == self.call_instruction
        };
        if is_call(self.instruction) && self.is_waiting_call() {
            return Call::Waits;
        }
        if !is_call(self.instruction - length) {
            return Call::None;
        }
        if self.call == -i64::from(libc::EINTR) {
            Call::Waits
        } else {
            Call::Made
        }
    }

    /// Whether the call that is about to be made (again) is one that waits.
    #[cfg(target_arch = "x86_64")]
    fn is_waiting_call(self) -> bool {
        [
            libc::SYS_futex,
            libc::SYS_nanosleep,
            libc::SYS_clock_nanosleep,
            libc::SYS_poll,
            libc::SYS_ppoll,
            libc::SYS_select,
            libc::SYS_pselect6,
            libc::SYS_epoll_wait,
            libc::SYS_epoll_pwait,
            libc::SYS_read,
            libc::SYS_readv,
            libc::SYS_recvfrom,
            libc::SYS_recvmsg,
            libc::SYS_accept,
            libc::SYS_accept4,
            libc::SYS_connect,
            libc::SYS_wait4,
            libc::SYS_waitid,
            libc::SYS_flock,
            libc::SYS_pause,
        ]
        .contains(&self.call)
    }

    /// The number is in a register that is not looked at here; calls that are made again have waited.
    #[cfg(not(target_arch = "x86_64"))]
    fn is_waiting_call(self) -> bool {
        true
    }
}

/// The walk over a thread's frames, from where it was to `within_cell`.
struct Walk {
    from: usize,
    mark: usize,
    call: Call,
    /// Whether the frame where the thread was has been reached; those before are the handler's.
    begun: bool,
    c_frames: u32,
    is_in_leaf: bool,
    /// Whether a frame of somebody else's than the C library has been seen.
    left_c: bool,
    /// Whether the last frame was this library's: only that of `within_cell` may be.
    in_library: bool,
    verdict: Option<bool>,
}

#[expect(non_camel_case_types, reason = "the unwinder's own names")]
type _Unwind_Trace_Fn = extern "C" fn(*mut c_void, *mut c_void) -> c_int;

unsafe extern "C" {
    fn _Unwind_Backtrace(visit: _Unwind_Trace_Fn, argument: *mut c_void) -> c_int;
    fn _Unwind_GetIP(frame: *mut c_void) -> usize;
    fn _Unwind_GetCFA(frame: *mut c_void) -> usize;
}

/// The unwinder's words for "go on" and "stop".
const GO_ON: c_int = 0;
const STOP: c_int = 5;

impl Walk {
    fn from(from: usize, mark: usize, call: Call) -> Self {
        Self {
            from,
            mark,
            call,
            begun: false,
            c_frames: 0,
            is_in_leaf: false,
            left_c: false,
            in_library: false,
            verdict: None,
        }
    }

    fn walks_harmless_frames(mut self) -> bool {
        // SAFETY: the callback gets this very walk back, which lives through the call.
        unsafe { _Unwind_Backtrace(visit_frame, (&raw mut self).cast()) };
        self.verdict == Some(true)
    }

    /// Looks at a frame; the answer as soon as there is one.
    fn frame(&mut self, address: usize, stack: usize) -> Option<bool> {
        if !self.begun {
            self.begun = address == self.from;
            if !self.begun {
                return None;
            }
        }
        if stack > self.mark {
            // All frames above the mark's own were looked at.
            return Some(true);
        }
        if self.in_library {
            return Some(false);
        }
        // A return address may be the first of the next function.
        let within = if address == self.from {
            address
        } else {
            address - 1
        };
        match owner_of(within) {
            Owner::C => {
                self.c_frames += 1;
                let most = match self.call {
                    Call::Waits => MOST_C_FRAMES,
                    Call::Made => 1,
                    // The clock is read through the C library.
                    Call::None => u32::from(self.is_in_leaf),
                };
                if self.left_c || self.c_frames > most {
                    return Some(false);
                }
            }
            Owner::Leaf => self.is_in_leaf = true,
            Owner::Cell | Owner::Std => self.left_c = true,
            Owner::Library => self.in_library = true,
            Owner::Other => return Some(false),
        }
        None
    }
}

extern "C" fn visit_frame(frame: *mut c_void, walk: *mut c_void) -> c_int {
    // SAFETY: the unwinder passes a valid frame and the pointer that `walks_harmless_frames` gave it.
    let (walk, address, stack) = unsafe {
        (
            &mut *walk.cast::<Walk>(),
            _Unwind_GetIP(frame),
            _Unwind_GetCFA(frame),
        )
    };
    walk.verdict = walk.frame(address, stack);
    if walk.verdict.is_some() { STOP } else { GO_ON }
}
