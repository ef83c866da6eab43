//! The maximum of a function of one number.

/// Where `f` is largest between `low` and `high`, to `tolerance` and the square root of the machine epsilon times the
/// result; a local maximum where there are several. `f` may be negative infinity.
///
/// Source: Brent, R. (1973), Algorithms for Minimization without Derivatives, chapter 5; as scipy's `fminbound`.
#[expect(clippy::many_single_char_names, reason = "the names of the source")]
pub(crate) fn maximum(f: impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> f64 {
    const MAX_EVALUATIONS: usize = 500;
    let golden = 0.5 * (3.0 - 5.0_f64.sqrt());
    let f = |x| -f(x);
    let (mut a, mut b) = (low, high);
    // The best point so far, the second best, and the previous second best.
    let mut x = a + golden * (b - a);
    let (mut w, mut v) = (x, x);
    let mut fx = f(x);
    let (mut fw, mut fv) = (fx, fx);
    let (mut step, mut step_before) = (0.0_f64, 0.0_f64);
    for _ in 1..MAX_EVALUATIONS {
        let middle = 0.5 * (a + b);
        let nearest = f64::EPSILON.sqrt() * x.abs() + tolerance / 3.0;
        if (x - middle).abs() <= 2.0 * nearest - 0.5 * (b - a) {
            break;
        }
        let parabolic = (step_before.abs() > nearest).then(|| vertex((x, fx), (w, fw), (v, fv)));
        match parabolic {
            Some((p, q)) if p.abs() < (0.5 * q * step_before).abs() && p > q * (a - x) && p < q * (b - x) => {
                step_before = step;
                step = p / q;
                let u = x + step;
                if u - a < 2.0 * nearest || b - u < 2.0 * nearest {
                    step = if middle >= x { nearest } else { -nearest };
                }
            }
            _ => {
                step_before = if x >= middle { a - x } else { b - x };
                step = golden * step_before;
            }
        }
        // No step is so short that rounding decides about it.
        let u = if step >= 0.0 { x + step.max(nearest) } else { x - (-step).max(nearest) };
        let fu = f(u);
        if fu <= fx {
            if u >= x {
                a = x;
            } else {
                b = x;
            }
            (v, fv) = (w, fw);
            (w, fw) = (x, fx);
            (x, fx) = (u, fu);
        } else {
            if u < x {
                a = u;
            } else {
                b = u;
            }
            if fu <= fw || w == x {
                (v, fv) = (w, fw);
                (w, fw) = (u, fu);
            } else if fu <= fv || v == x || v == w {
                (v, fv) = (u, fu);
            }
        }
    }
    x
}

/// The step from `x` to the vertex of the parabola through three points, as a fraction whose denominator is not negative.
fn vertex((x, fx): (f64, f64), (w, fw): (f64, f64), (v, fv): (f64, f64)) -> (f64, f64) {
    let (right, left) = ((x - w) * (fx - fv), (x - v) * (fx - fw));
    let numerator = (x - v) * left - (x - w) * right;
    let denominator = 2.0 * (left - right);
    if denominator > 0.0 { (-numerator, denominator) } else { (numerator, -denominator) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maxima_are_found_inside_and_at_the_ends() {
        for at in [-3.0, 0.0, 1e-3, 2.5] {
            assert!((maximum(|x| -(x - at).powi(4) - (x - at).powi(2), -5.0, 4.0, 1e-9) - at).abs() < 1e-7);
        }
        assert!((maximum(|x| x, -1.0, 7.0, 1e-9) - 7.0).abs() < 1e-6);
        assert!((maximum(|x| -x, -1.0, 7.0, 1e-9) + 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_impossible_is_avoided() {
        let log = |x: f64| if x <= 0.0 { f64::NEG_INFINITY } else { x.ln() - x };
        assert!((maximum(log, -1.0, 3.0, 1e-9) - 1.0).abs() < 1e-7);
    }
}
