//! The normal distribution: shares, logarithms of shares, and quantiles, precise in the tails.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

/// The logarithm of the square root of 2 pi.
pub const LOG_ROOT_2PI: f64 = 0.918_938_533_204_672_8;

/// The share below `x`.
#[must_use]
pub fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The exponential of a number that is not above 0, to the last two bits; of less than -700, that of -700, which is almost 0.
///
/// It has no branches and calls no function, so that the compiler can compute it for several numbers at once.
#[must_use]
#[inline]
pub fn exp_of_negative(x: f64) -> f64 {
    // What brings the nearest whole number into the lowest bits of a float.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    let x = x.max(-700.0);
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let halvings = shifted - SHIFT;
    let rest = x - halvings * LN_2_HIGH - halvings * LN_2_LOW;
    // The series of Taylor: half of ln 2 to the 14th power over 14! is less than a bit.
    let series = TAYLOR.iter().rev().fold(0.0, |sum, term| sum * rest + term);
    series * f64::from_bits(shifted.to_bits().wrapping_add(1_023) << 52)
}

/// 1 over the factorials from 0! to 13!.
const TAYLOR: [f64; 14] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// The share beyond `x`, which is not below 0, to a relative 1e-14 up to 10; beyond that it is next to nothing.
///
/// It has no branches either. What is left without the exponential is a polynomial of (x - 5.5) / (x + 5.5), a fit to values of
/// 40 digits in the points of Chebyshev.
#[must_use]
#[inline]
pub fn beyond(x: f64) -> f64 {
    let fraction = (x - 5.5) / (x + 5.5);
    BEYOND_COEFFICIENTS.iter().rev().fold(0.0, |sum, term| sum * fraction + term) * exp_of_negative(-0.5 * x * x)
}

const BEYOND_COEFFICIENTS: [f64; 19] = [
    0.070_342_694_025_127_88,
    -0.132_632_095_895_522_25,
    0.110_979_991_785_169_73,
    -0.082_058_686_759_645_82,
    0.053_174_681_649_831_655,
    -0.029_779_592_983_960_268,
    0.014_072_788_263_220_4,
    -0.005_365_553_722_484_478,
    0.001_487_862_880_788_983_2,
    -0.000_197_580_767_695_012_07,
    -5.401_178_565_878_667_4e-05,
    3.600_164_551_604_106e-05,
    -4.990_772_606_265_389e-06,
    -2.585_977_983_093_356_3e-06,
    1.065_456_165_802_193_5e-06,
    -7.373_828_218_033_184e-08,
    -3.437_911_662_565_289_4e-07,
    -1.036_426_571_288_615_8e-07,
    -9.553_587_321_522_738e-09,
];

/// The logarithm of the share below `x`.
fn log_below(x: f64) -> f64 {
    if x > -30.0 {
        return libm::log(below(x));
    }
    // The share is about to become too small for a float: Mills' ratio as a continued fraction (Laplace), which is exact to the
    // last bit after so few terms this far out.
    let mut rest = -x;
    for term in (1..=12).rev() {
        rest = f64::from(term) / rest - x;
    }
    -0.5 * x * x - LOG_ROOT_2PI - libm::log(rest)
}

/// The logarithm of the share between `a` and `b`, where `a < b`.
#[must_use]
pub fn log_between(a: f64, b: f64) -> f64 {
    let (width, middle) = (b - a, 0.5 * (a + b));
    if width * middle.abs().max(1.0) < 0.02 {
        // The density in the middle, with its curvature: the difference of two shares that are all but equal says little.
        let bend = width * width * (middle * middle - 1.0) / 24.0;
        return libm::log(width) - 0.5 * middle * middle - LOG_ROOT_2PI + libm::log1p(bend);
    }
    if a <= 0.0 && b >= 0.0 {
        return libm::log1p(-below(a) - below(-b));
    }
    // In the lower tail, where shares are exact.
    let (a, b) = if a > 0.0 { (-b, -a) } else { (a, b) };
    let (least, greatest) = (log_below(a), log_below(b));
    let share = least - greatest;
    // 1 - exp(share), by what is exact near either end.
    greatest + if share > -LN_2 { libm::log(-libm::expm1(share)) } else { libm::log1p(-libm::exp(share)) }
}

/// The `x` below which is this share, 0 to 1, to a relative 1e-15: algorithm AS 241 (Wichura 1988).
#[must_use]
pub fn quantile(share: f64) -> f64 {
    let q = share - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTRE_COEFFICIENTS);
    }
    let tail = if q < 0.0 { share } else { 1.0 - share };
    if tail <= 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-libm::log(tail)).sqrt();
    let x = if r <= 5.0 { ratio(r - 1.6, &SHOULDER_COEFFICIENTS) } else { ratio(r - 5.0, &TAIL_COEFFICIENTS) };
    if q < 0.0 { -x } else { x }
}

/// A ratio of two polynomials of degree 7, coefficients of the lowest power first.
fn ratio(r: f64, [above, below]: &[[f64; 8]; 2]) -> f64 {
    let polynomial = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, term| sum * r + term);
    polynomial(above) / polynomial(below)
}

const CENTRE_COEFFICIENTS: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];
const SHOULDER_COEFFICIENTS: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const TAIL_COEFFICIENTS: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_049e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_where_their_share_is() {
        for step in 1..2_000 {
            let share = f64::from(step) / 2_000.0;
            assert!((below(quantile(share)) / share - 1.0).abs() < 1e-14, "{share}");
            assert!((quantile(1.0 - share) + quantile(share)).abs() < 1e-12, "{share}");
        }
        for exponent in 1..300 {
            let share = libm::exp10(-f64::from(exponent));
            assert!((below(quantile(share)) / share - 1.0).abs() < 1e-11, "{share}");
        }
        assert_eq!([quantile(0.0), quantile(0.5), quantile(1.0)], [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
    }

    #[test]
    fn functions_without_branches_are_as_exact() {
        for step in 0..100_000 {
            let x = f64::from(step) * 1e-4;
            assert!((beyond(x) / below(-x) - 1.0).abs() < 1e-13, "{x}");
            let x = -70.0 * x;
            assert!((exp_of_negative(x) / libm::exp(x) - 1.0).abs() < 5e-16, "{x}");
        }
        assert!(beyond(50.0) < 1e-300 && beyond(f64::INFINITY).is_nan());
        assert!(exp_of_negative(f64::NEG_INFINITY) < 1e-300);
    }

    /// Shares by `mpmath`, with 60 digits.
    #[test]
    fn logarithms_of_shares_hold_in_the_tails() {
        for (a, b, expected) in [
            (-1.0, 1.0, -0.381_715_146_302_126_07),
            (-0.5, 3.0, -0.370_900_559_562_032_5),
            (5.0, 6.0, -15.068_446_096_529_453),
            (-6.0, -5.0, -15.068_446_096_529_453),
            (35.0, 36.0, -616.975_101_261_922_5),
            (90.0, 100.0, -4_055.418_871_622_244_3),
            (1.0, 1.000_001, -15.234_449_591_169_072),
        ] {
            let found = log_between(a, b);
            assert!((found / expected - 1.0).abs() < 1e-10, "{a} to {b}: {found}");
        }
    }

    #[test]
    fn the_two_ways_to_a_narrow_share_agree() {
        for start in [-3.0, 0.3, 2.0, 7.0, 20.0] {
            // Narrow as a whole where the first is taken, and in parts that are narrower still.
            let width = 0.0199 / f64::max(1.0, f64::abs(start) + 0.02);
            let part = |part: i32| start + width * f64::from(part) / 16.0;
            let parts: f64 = (0..16).map(|at| libm::exp(log_between(part(at), part(at + 1)))).sum();
            assert!((log_between(start, start + width) - libm::log(parts)).abs() < 2e-10, "{start}");
            // Wide in sum, of narrow parts.
            let wide = libm::exp(log_between(start, start + 4.0 * width));
            let parts: f64 = (0..64).map(|at| libm::exp(log_between(part(at), part(at + 1)))).sum();
            assert!((parts / wide - 1.0).abs() < 1e-11, "{start}: {parts} {wide}");
        }
    }
}
