//! Eight floats at a time: AVX2 with FMA where the processor has them, plain Rust otherwise.

use std::mem::{ManuallyDrop, MaybeUninit};
use std::sync::LazyLock;

/// The floats in one [`Lanes`].
pub(crate) const WIDTH: usize = 8;

/// Eight floats. Every method is inlined into the kernel, which carries the target features.
pub(crate) trait Lanes: Copy {
    /// # Safety
    ///
    /// `pointer` must be readable for eight floats.
    unsafe fn load(pointer: *const f32) -> Self;
    /// # Safety
    ///
    /// `pointer` must be writable for eight floats.
    unsafe fn store(self, pointer: *mut f32);
    fn splat(value: f32) -> Self;
    /// `self + a * b`.
    fn fma(self, a: Self, b: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    /// `self` where `low < x && x < high`, 0 elsewhere.
    fn where_between(self, x: Self, low: Self, high: Self) -> Self;
    fn sum(self) -> f32;
}

/// Plain Rust, for processors without AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; WIDTH]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut result = self.0;
        for (value, other) in result.iter_mut().zip(other.0) {
            *value = f(*value, other);
        }
        Self(result)
    }
}

impl Lanes for Portable {
    #[inline(always)]
    unsafe fn load(pointer: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { pointer.cast::<[f32; WIDTH]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, pointer: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { pointer.cast::<[f32; WIDTH]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; WIDTH])
    }
    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        self.add(a.mul(b))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn where_between(self, x: Self, low: Self, high: Self) -> Self {
        let mut result = self.0;
        for (index, value) in result.iter_mut().enumerate() {
            if !(low.0[index] < x.0[index] && x.0[index] < high.0[index]) {
                *value = 0.0;
            }
        }
        Self(result)
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        self.0.iter().sum()
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::Lanes;

    /// AVX2 and FMA: used only inside functions that [`super::has_avx2`] guards.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256);

    // SAFETY of every block below: the guard above; the pointers are the callers' promise.
    #[expect(
        clippy::undocumented_unsafe_blocks,
        reason = "one reason for all of them, given above"
    )]
    impl Lanes for Avx2 {
        #[inline(always)]
        unsafe fn load(pointer: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(pointer) })
        }
        #[inline(always)]
        unsafe fn store(self, pointer: *mut f32) {
            unsafe { _mm256_storeu_ps(pointer, self.0) }
        }
        #[inline(always)]
        fn splat(value: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(value) })
        }
        #[inline(always)]
        fn fma(self, a: Self, b: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(a.0, b.0, self.0) })
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Self(unsafe { _mm256_min_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn where_between(self, x: Self, low: Self, high: Self) -> Self {
            unsafe {
                let above = _mm256_cmp_ps::<_CMP_LT_OQ>(low.0, x.0);
                let below = _mm256_cmp_ps::<_CMP_LT_OQ>(x.0, high.0);
                Self(_mm256_and_ps(self.0, _mm256_and_ps(above, below)))
            }
        }
        #[inline(always)]
        fn sum(self) -> f32 {
            unsafe {
                let halves = _mm_add_ps(
                    _mm256_castps256_ps128(self.0),
                    _mm256_extractf128_ps::<1>(self.0),
                );
                let pairs = _mm_add_ps(halves, _mm_movehl_ps(halves, halves));
                _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)))
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;

/// Whether this processor has AVX2 and FMA.
pub(crate) fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static FOUND: LazyLock<bool> = LazyLock::new(|| {
            std::env::var_os("SWATH_NO_AVX2").is_none()
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
        });
        *FOUND
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Makes `$name`, which runs the inlined generic `$generic` with AVX2 where it can.
macro_rules! dispatch {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident = $generic:ident ( $($argument:ident : $type:ty),* $(,)? ) $(-> $result:ty)?) => {
        $(#[$attribute])*
        #[allow(clippy::too_many_arguments, reason = "a kernel's addresses")]
        $visibility unsafe fn $name($($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            if $crate::simd::has_avx2() {
                #[allow(clippy::too_many_arguments, reason = "as outside")]
                #[target_feature(enable = "avx2,fma")]
                unsafe fn fast($($argument: $type),*) $(-> $result)? {
                    // SAFETY: the caller's promise.
                    unsafe { $generic::<$crate::simd::Avx2>($($argument),*) }
                }
                // SAFETY: the features were detected; the rest is the caller's promise.
                return unsafe { fast($($argument),*) };
            }
            // SAFETY: the caller's promise.
            unsafe { $generic::<$crate::simd::Portable>($($argument),*) }
        }
    };
}
pub(crate) use dispatch;

/// A pointer that several tasks write through, each to its own part.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: whoever makes one hands disjoint parts to the tasks.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// A pointer to floats of which some may not be written yet.
    pub(crate) fn of(values: &mut [MaybeUninit<f32>]) -> Self {
        Self(values.as_mut_ptr().cast())
    }

    /// The pointer, `offset` floats on.
    ///
    /// # Safety
    ///
    /// `offset` must lie within the allocation.
    pub(crate) unsafe fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(offset) }
    }
}

/// `length` floats that are to be written for the first time: zeroing them first would cost a pass over memory.
pub(crate) fn unwritten(length: usize) -> Vec<MaybeUninit<f32>> {
    let mut values = Vec::with_capacity(length);
    // SAFETY: the capacity is there, and any contents are valid.
    unsafe { values.set_len(length) };
    values
}

/// The floats, all of them written.
///
/// # Safety
///
/// Every element was written.
pub(crate) unsafe fn written(values: Vec<MaybeUninit<f32>>) -> Vec<f32> {
    let mut values = ManuallyDrop::new(values);
    // SAFETY: the same allocation, of elements of the same layout; the contents are the caller's promise.
    unsafe { Vec::from_raw_parts(values.as_mut_ptr().cast(), values.len(), values.capacity()) }
}
