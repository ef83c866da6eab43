//! Numbers for people: three digits and a unit that suits.

/// Three significant digits, without an exponent.
fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// A duration in seconds, milliseconds, microseconds or nanoseconds.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "-".to_owned();
    }
    let (scale, unit) = match seconds {
        s if s >= 0.9995 => (1.0, "s"),
        s if s >= 0.9995e-3 => (1e3, "ms"),
        s if s >= 0.9995e-6 => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    format!("{} {unit}", three_digits(seconds * scale))
}

/// How many a second.
pub(crate) fn rate(per_second: f64) -> String {
    if !per_second.is_finite() {
        return "-".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is counted is not below 0")]
    let whole = per_second.round() as usize;
    if whole < 100 { format!("{} /s", three_digits(per_second)) } else { format!("{} /s", thousands(whole)) }
}

/// A number that says whether results agree: whole where it is.
pub(crate) fn check(number: f64) -> String {
    match number {
        n if !n.is_finite() => "-".to_owned(),
        n if n.fract() == 0.0 => format!("{n:.0}"),
        n => format!("{n:.6}"),
    }
}

/// A number of bytes in decimal units.
pub(crate) fn bytes(count: f64) -> String {
    if !count.is_finite() {
        return "-".to_owned();
    }
    let (scale, unit) = match count {
        b if b >= 0.9995e9 => (1e9, "GB"),
        b if b >= 0.9995e6 => (1e6, "MB"),
        b if b >= 0.9995e3 => (1e3, "kB"),
        b => return format!("{b:.0} B"),
    };
    format!("{} {unit}", three_digits(count / scale))
}

/// How many times something is something else.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio.is_finite() { format!("{}×", three_digits(ratio)) } else { "-".to_owned() }
}

/// A whole number with its thousands apart.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_suit_the_size() {
        let durations = [12.0, 1.5, 0.9999, 0.0123, 4.5e-5, 2e-8, f64::NAN].map(duration);
        assert_eq!(durations, ["12.0 s", "1.50 s", "1.00 s", "12.3 ms", "45.0 µs", "20.0 ns", "-"]);
        assert_eq!(
            [999.0, 1_000.0, 123_456.0, 36e6, 2.5e9].map(bytes),
            ["999 B", "1.00 kB", "123 kB", "36.0 MB", "2.50 GB"]
        );
        assert_eq!([0.5, 1.0, 12.345, 99.96].map(ratio), ["0.50×", "1.00×", "12.3×", "100×"]);
        assert_eq!([3.25, 99.6, 32_000.4, f64::INFINITY].map(rate), ["3.25 /s", "100 /s", "32,000 /s", "-"]);
        assert_eq!([0.0, 16.0, 0.25, f64::NAN].map(check), ["0", "16", "0.250000", "-"]);
        assert_eq!([5, 1_000, 10_000, 1_234_567].map(thousands), ["5", "1,000", "10,000", "1,234,567"]);
    }
}
