//! A stand-in for NVIDIA's driver, `libcuda.so.1`: its memory is the host's, its kernels are counted and never run.
//!
//! With it the CUDA build goes through everything up to its numbers on a machine without a GPU: device set-up, NVRTC's
//! compilation of each kernel, autotuning, launches, copies, lack of memory, a device that is lost. What a kernel would
//! have written stays as it was, mostly zero.
//!
//! Variables:
//! - `STAND_IN_CC`: the compute capability, 80 unless set
//! - `STAND_IN_MEMORY`: bytes of memory, 10 GiB unless set: as much as a slice of an A100 has
//! - `STAND_IN_PTX`: a folder into which each distinct module is written once, named by a hash of its text
//! - `STAND_IN_LOST`: the number of the launch from which on the device is lost
//!
//! [`stand_in_counts`] tells what was asked for so far.
//!
//! The signatures are those of cuda.h; functions that cudarc looks up and nobody calls are absent.

#![allow(
    non_snake_case,
    clippy::missing_safety_doc,
    reason = "the names are NVIDIA's, and so is what callers promise"
)]
#![expect(
    missing_docs,
    reason = "the functions are those of NVIDIA's documentation"
)]

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

type Status = c_int;
/// `CUdeviceptr`, here an address of the host.
type Address = u64;
type Handle = *mut c_void;

const SUCCESS: Status = 0;
const OUT_OF_MEMORY: Status = 2;
const INVALID_DEVICE: Status = 101;
const LAUNCH_FAILED: Status = 719;
const NOT_SUPPORTED: Status = 801;

static MODULES: AtomicU64 = AtomicU64::new(0);
static LAUNCHES: AtomicU64 = AtomicU64::new(0);
static UPLOADS: AtomicU64 = AtomicU64::new(0);
static READ_BACKS: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// Blocks of device memory and their bytes.
static TAKEN: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);
static SEEN: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Memory {
    blocks: HashMap<Address, usize>,
    in_use: u64,
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn capability() -> c_int {
    static CAPABILITY: LazyLock<c_int> = LazyLock::new(|| {
        let capability = variable("STAND_IN_CC").unwrap_or(80);
        c_int::try_from(capability).unwrap_or(80)
    });
    *CAPABILITY
}

fn memory() -> u64 {
    variable("STAND_IN_MEMORY").unwrap_or(10 << 30)
}

fn count(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

/// Modules loaded, kernels launched, uploads, read-backs, allocations refused, bytes in use.
///
/// # Safety
/// `counts` must have room for six numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stand_in_counts(counts: *mut u64) {
    let in_use = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).in_use;
    let all = [
        MODULES.load(Ordering::Relaxed),
        LAUNCHES.load(Ordering::Relaxed),
        UPLOADS.load(Ordering::Relaxed),
        READ_BACKS.load(Ordering::Relaxed),
        REFUSED.load(Ordering::Relaxed),
        in_use,
    ];
    // SAFETY: as the caller promises.
    unsafe { std::ptr::copy_nonoverlapping(all.as_ptr(), counts, all.len()) };
}

/// Functions that do nothing but succeed.
macro_rules! succeed {
    ($($name:ident($($argument:ty),*);)*) => {
        $(#[unsafe(no_mangle)]
        pub extern "C" fn $name($(_: $argument),*) -> Status {
            SUCCESS
        })*
    };
}

succeed! {
    cuInit(c_uint);
    cuDevicePrimaryCtxRelease(c_int);
    cuDevicePrimaryCtxRelease_v2(c_int);
    cuDevicePrimaryCtxSetFlags(c_int, c_uint);
    cuDevicePrimaryCtxSetFlags_v2(c_int, c_uint);
    cuModuleUnload(Handle);
    cuFuncSetAttribute(Handle, c_int, c_int);
    cuStreamDestroy_v2(Handle);
    cuStreamWaitEvent(Handle, Handle, c_uint);
    cuEventDestroy_v2(Handle);
    cuEventRecord(Handle, Handle);
}

/// Functions that wait: where a lost device is noticed.
macro_rules! wait {
    ($($name:ident($($argument:ty),*);)*) => {
        $(#[unsafe(no_mangle)]
        pub extern "C" fn $name($(_: $argument),*) -> Status {
            state()
        })*
    };
}

wait! {
    cuCtxSynchronize();
    cuStreamSynchronize(Handle);
    cuStreamQuery(Handle);
    cuEventQuery(Handle);
    cuEventSynchronize(Handle);
}

/// Writes to where a caller wants an answer.
///
/// # Safety
/// `place` must be valid for a `T`.
unsafe fn put<T>(place: *mut T, value: T) -> Status {
    // SAFETY: as the caller promises.
    unsafe { place.write(value) };
    SUCCESS
}

/// A handle that is distinct and never read.
fn handle() -> Handle {
    static NEXT: AtomicU64 = AtomicU64::new(0x1000);
    NEXT.fetch_add(0x10, Ordering::Relaxed) as usize as Handle
}

fn is_lost() -> bool {
    static LOST: LazyLock<Option<u64>> = LazyLock::new(|| variable("STAND_IN_LOST"));
    LOST.is_some_and(|launch| LAUNCHES.load(Ordering::Relaxed) >= launch)
}

fn state() -> Status {
    if is_lost() { LAUNCH_FAILED } else { SUCCESS }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> Status {
    let version_asked = variable("STAND_IN_VERSION").unwrap_or(13_000);
    // SAFETY: as cuda.h asks.
    unsafe { put(version, c_int::try_from(version_asked).unwrap_or(13_000)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(found: *mut c_int) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(found, 1) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> Status {
    if ordinal != 0 {
        return INVALID_DEVICE;
    }
    // SAFETY: as cuda.h asks.
    unsafe { put(device, 0) }
}

/// # Safety
/// `text` must have room for `room` letters.
unsafe fn put_text(text: *mut c_char, room: c_int, said: &str) -> Status {
    let room = usize::try_from(room).unwrap_or(0);
    let length = said.len().min(room.saturating_sub(1));
    // SAFETY: as the caller promises; `length` and the zero fit.
    unsafe {
        std::ptr::copy_nonoverlapping(said.as_ptr().cast::<c_char>(), text, length);
        if room > 0 {
            text.add(length).write(0);
        }
    }
    SUCCESS
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, room: c_int, _: c_int) -> Status {
    let said = format!("Stand-in A100 MIG 1g.10gb sm_{}", capability());
    // SAFETY: as cuda.h asks.
    unsafe { put_text(name, room, &said) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetPCIBusId(name: *mut c_char, room: c_int, _: c_int) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put_text(name, room, "0000:00:00.0") }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid(uuid: *mut [u8; 16], _: c_int) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(uuid, [7; 16]) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], _: c_int) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(uuid, [7; 16]) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, _: c_int) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(bytes, usize::try_from(memory()).unwrap_or(usize::MAX)) }
}

/// The figures of a slice of an A100, by the numbers of `CUdevice_attribute`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(
    value: *mut c_int,
    attribute: c_int,
    _: c_int,
) -> Status {
    let found = match attribute {
        // Threads of a block, in all and along x and y, then z.
        1..=3 => 1024,
        4 => 64,
        // Blocks along x, then y and z.
        5 => i32::MAX,
        6 | 7 => 65_535,
        // Bytes of shared memory of a block, threads of a warp, registers of a block.
        8 => 49_152,
        10 => 32,
        12 => 65_536,
        // Multiprocessors, threads of each.
        16 => 14,
        39 => 2048,
        75 => capability() / 10,
        76 => capability() % 10,
        // Bytes of shared memory of a multiprocessor, registers of it, bytes that a block may ask for.
        81 => 167_936,
        82 => 65_536,
        97 => 166_912,
        _ => 1,
    };
    // SAFETY: as cuda.h asks.
    unsafe { put(value, found) }
}

thread_local! {
    static CURRENT: std::cell::Cell<Handle> = const { std::cell::Cell::new(std::ptr::null_mut()) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut Handle, _: c_int) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(context, 0x100 as Handle) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: Handle) -> Status {
    CURRENT.set(context);
    SUCCESS
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetCurrent(context: *mut Handle) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(context, CURRENT.get()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetStreamPriorityRange(
    least: *mut c_int,
    greatest: *mut c_int,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe {
        put(least, 0);
        put(greatest, -5)
    }
}

/// Memory of the host, as far as the device's would reach.
fn take(bytes: usize, limit: u64) -> Result<Address, Status> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if taken.in_use.saturating_add(bytes as u64) > limit {
        count(&REFUSED);
        return Err(OUT_OF_MEMORY);
    }
    let mut block: *mut c_void = std::ptr::null_mut();
    // SAFETY: the place outlives the call, and the alignment is a power of two.
    if unsafe { libc::posix_memalign(&raw mut block, 512, bytes.max(512)) } != 0 {
        return Err(OUT_OF_MEMORY);
    }
    // SAFETY: the block has so many bytes.
    unsafe { std::ptr::write_bytes(block.cast::<u8>(), 0, bytes.max(512)) };
    taken.blocks.insert(block as Address, bytes);
    taken.in_use += bytes as u64;
    Ok(block as Address)
}

fn give_back(block: Address) -> Status {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = taken.blocks.remove(&block) {
        taken.in_use -= bytes as u64;
        // SAFETY: the block came from `posix_memalign` and was known until now, so it is freed once.
        unsafe { libc::free(block as *mut c_void) };
    }
    SUCCESS
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(place: *mut Address, bytes: usize) -> Status {
    match take(bytes, memory()) {
        // SAFETY: as cuda.h asks.
        Ok(block) => unsafe { put(place, block) },
        Err(status) => status,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocAsync(place: *mut Address, bytes: usize, _: Handle) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { cuMemAlloc_v2(place, bytes) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(block: Address) -> Status {
    give_back(block)
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeAsync(block: Address, _: Handle) -> Status {
    give_back(block)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemHostAlloc(place: *mut Handle, bytes: usize, _: c_uint) -> Status {
    // Pinned memory is the host's: the device's limit does not count.
    match take(bytes, u64::MAX) {
        // SAFETY: as cuda.h asks.
        Ok(block) => unsafe { put(place, block as Handle) },
        Err(status) => status,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocHost_v2(place: *mut Handle, bytes: usize) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { cuMemHostAlloc(place, bytes, 0) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeHost(block: Handle) -> Status {
    give_back(block as Address)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> Status {
    let in_use = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).in_use;
    let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    // SAFETY: as cuda.h asks.
    unsafe {
        put(free, bytes(memory().saturating_sub(in_use)));
        put(total, bytes(memory()))
    }
}

/// # Safety
/// Both ends must have so many bytes.
unsafe fn copy(to: Address, from: Address, bytes: usize) -> Status {
    // SAFETY: as the caller promises; regions of one block may overlap.
    unsafe { std::ptr::copy(from as *const u8, to as *mut u8, bytes) };
    state()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoD_v2(to: Address, from: *const c_void, bytes: usize) -> Status {
    count(&UPLOADS);
    // SAFETY: as cuda.h asks.
    unsafe { copy(to, from as Address, bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(
    to: Address,
    from: *const c_void,
    bytes: usize,
    _: Handle,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { cuMemcpyHtoD_v2(to, from, bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: Address, bytes: usize) -> Status {
    count(&READ_BACKS);
    // SAFETY: as cuda.h asks.
    unsafe { copy(to as Address, from, bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoHAsync_v2(
    to: *mut c_void,
    from: Address,
    bytes: usize,
    _: Handle,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { cuMemcpyDtoH_v2(to, from, bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoD_v2(to: Address, from: Address, bytes: usize) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { copy(to, from, bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoDAsync_v2(
    to: Address,
    from: Address,
    bytes: usize,
    _: Handle,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { copy(to, from, bytes) }
}

/// `CUDA_MEMCPY2D`.
#[repr(C)]
pub struct Rectangle {
    from_x: usize,
    from_y: usize,
    from_type: c_int,
    from_host: *const c_void,
    from_device: Address,
    from_array: Handle,
    from_pitch: usize,
    to_x: usize,
    to_y: usize,
    to_type: c_int,
    to_host: *mut c_void,
    to_device: Address,
    to_array: Handle,
    to_pitch: usize,
    width: usize,
    height: usize,
}

/// `CU_MEMORYTYPE_HOST`.
const OF_HOST: c_int = 1;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy2DAsync_v2(rectangle: *const Rectangle, _: Handle) -> Status {
    // SAFETY: as cuda.h asks, the rectangle and both of its ends are there.
    unsafe {
        let it = &*rectangle;
        let from = match it.from_type {
            OF_HOST => it.from_host as Address,
            _ => it.from_device,
        };
        let to = match it.to_type {
            OF_HOST => it.to_host as Address,
            _ => it.to_device,
        };
        if it.from_type == OF_HOST {
            count(&UPLOADS);
        }
        if it.to_type == OF_HOST {
            count(&READ_BACKS);
        }
        for row in 0..it.height {
            let at = |base: Address, x: usize, y: usize, pitch: usize| {
                base + ((row + y) * pitch + x) as Address
            };
            copy(
                at(to, it.to_x, it.to_y, it.to_pitch),
                at(from, it.from_x, it.from_y, it.from_pitch),
                it.width,
            );
        }
    }
    state()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemsetD8_v2(to: Address, value: u8, bytes: usize) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { std::ptr::write_bytes(to as *mut u8, value, bytes) };
    state()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemsetD8Async(
    to: Address,
    value: u8,
    bytes: usize,
    _: Handle,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { cuMemsetD8_v2(to, value, bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreate(stream: *mut Handle, _: c_uint) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(stream, handle()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreateWithPriority(
    stream: *mut Handle,
    _: c_uint,
    _: c_int,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(stream, handle()) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuLaunchHostFunc(
    _: Handle,
    function: extern "C" fn(*mut c_void),
    data: *mut c_void,
) -> Status {
    function(data);
    state()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(event: *mut Handle, _: c_uint) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(event, handle()) }
}

/// Every kernel takes as long as every other: nearly no time would let a measurement go on for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime(
    milliseconds: *mut f32,
    _: Handle,
    _: Handle,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(milliseconds, 3.0) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime_v2(
    milliseconds: *mut f32,
    _: Handle,
    _: Handle,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(milliseconds, 3.0) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadData(module: *mut Handle, image: *const c_void) -> Status {
    count(&MODULES);
    if let Some(folder) = std::env::var_os("STAND_IN_PTX").map(PathBuf::from) {
        // SAFETY: modules are PTX here, a text that ends with a zero.
        let text = unsafe { CStr::from_ptr(image.cast::<c_char>()) }.to_bytes();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let name = hasher.finish();
        let is_new = SEEN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
        if is_new && std::fs::write(folder.join(format!("{name:016x}.ptx")), text).is_err() {
            return NOT_SUPPORTED;
        }
    }
    // SAFETY: as cuda.h asks.
    unsafe { put(module, handle()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(
    function: *mut Handle,
    _: Handle,
    _: *const c_char,
) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(function, handle()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuFuncGetAttribute(value: *mut c_int, _: c_int, _: Handle) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(value, 0) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuLaunchKernel(
    _: Handle,
    _: c_uint,
    _: c_uint,
    _: c_uint,
    _: c_uint,
    _: c_uint,
    _: c_uint,
    _: c_uint,
    _: Handle,
    _: *mut Handle,
    _: *mut Handle,
) -> Status {
    count(&LAUNCHES);
    state()
}

/// Descriptions of tensors for copies that a block starts: 128 bytes that only the GPU reads.
macro_rules! describe {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(map: *mut [u8; 128]) -> Status {
            // SAFETY: as cuda.h asks.
            unsafe { put(map, [0; 128]) }
        })*
    };
}

describe! { cuTensorMapEncodeTiled cuTensorMapEncodeIm2col cuTensorMapEncodeIm2colWide }

fn name_of(status: Status) -> &'static CStr {
    match status {
        SUCCESS => c"CUDA_SUCCESS",
        OUT_OF_MEMORY => c"CUDA_ERROR_OUT_OF_MEMORY",
        INVALID_DEVICE => c"CUDA_ERROR_INVALID_DEVICE",
        LAUNCH_FAILED => c"CUDA_ERROR_LAUNCH_FAILED",
        NOT_SUPPORTED => c"CUDA_ERROR_NOT_SUPPORTED",
        _ => c"CUDA_ERROR_UNKNOWN",
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(status: Status, name: *mut *const c_char) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(name, name_of(status).as_ptr()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorString(status: Status, text: *mut *const c_char) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(text, name_of(status).as_ptr()) }
}

/// NVRTC asks for it, and goes on when it is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetExportTable(table: *mut *const c_void, _: *const c_void) -> Status {
    // SAFETY: as cuda.h asks.
    unsafe { put(table, std::ptr::null()) };
    NOT_SUPPORTED
}
