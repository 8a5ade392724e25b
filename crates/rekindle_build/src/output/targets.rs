//! `build.target` for scripts and sheets.
//!
//! ```text
//! ["chrome111", "safari16.4"]   → as they are, for the script lowering; chrome 111.0, safari 16.4 for sheets
//! ["es2020"]                    → the year, and for sheets the browsers of that year
//! ```

use lightningcss::targets::{Browsers, Targets};
use rekindle_compile::plain::build_settings::parts_of_target;

/// Browsers that have what a year of the language brought, for sheets.
const YEARS: [(&str, [&str; 4]); 12] = [
    ("es5", ["chrome23", "edge12", "firefox21", "safari6"]),
    ("es2015", ["chrome51", "edge15", "firefox54", "safari10"]),
    ("es2016", ["chrome52", "edge15", "firefox54", "safari10.1"]),
    ("es2017", ["chrome58", "edge16", "firefox54", "safari11"]),
    ("es2018", ["chrome63", "edge79", "firefox58", "safari12"]),
    ("es2019", ["chrome73", "edge79", "firefox64", "safari12.1"]),
    ("es2020", ["chrome80", "edge80", "firefox74", "safari14"]),
    ("es2021", ["chrome85", "edge85", "firefox79", "safari14.1"]),
    ("es2022", ["chrome94", "edge94", "firefox93", "safari16.4"]),
    ("es2023", ["chrome110", "edge110", "firefox115", "safari16.4"]),
    ("es2024", ["chrome119", "edge119", "firefox121", "safari17.4"]),
    ("es2025", ["chrome136", "edge136", "firefox138", "safari18.4"]),
];

/// What sheets are lowered for.
pub(crate) fn of_sheets(target: &[String]) -> Targets {
    let mut browsers = Browsers::default();
    let years = |name: &str| {
        let name = match name {
            "es6" => "es2015",
            // The newest that is told of.
            "es2026" => "es2025",
            name => name,
        };
        YEARS.iter().find(|(year, _)| *year == name).map(|(_, browsers)| browsers.as_slice())
    };
    for name in target {
        let own = [name.as_str()];
        for browser in years(name).unwrap_or(&own) {
            let Some((slot, version)) =
                parts_of_target(browser).and_then(|(name, version)| Some((slot(&mut browsers, name)?, version)))
            else {
                continue;
            };
            *slot = Some(slot.map_or(version, |known| known.min(version)));
        }
    }
    Targets { browsers: (browsers != Browsers::default()).then_some(browsers), ..Targets::default() }
}

fn slot<'b>(browsers: &'b mut Browsers, name: &str) -> Option<&'b mut Option<u32>> {
    Some(match name {
        "chrome" => &mut browsers.chrome,
        "edge" => &mut browsers.edge,
        "firefox" => &mut browsers.firefox,
        "ie" => &mut browsers.ie,
        "ios" => &mut browsers.ios_saf,
        "opera" => &mut browsers.opera,
        "safari" => &mut browsers.safari,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rekindle_compile::plain::build_settings::check_target as check;

    use super::*;

    #[test]
    fn targets_are_browsers_or_years() {
        let targets = of_sheets(&["chrome111".into(), "safari16.4".into(), "chrome90".into()]).browsers.unwrap();
        assert_eq!((targets.chrome, targets.safari), (Some(90 << 16), Some((16 << 16) | (4 << 8))));
        assert_eq!(of_sheets(&["es2020".into()]).browsers.unwrap().firefox, Some(74 << 16));
        assert_eq!(of_sheets(&["esnext".into()]).browsers, None);
        for year in ["es5", "es6"].map(str::to_owned).into_iter().chain((2015..=2026).map(|year| format!("es{year}"))) {
            assert!(check(&year).is_ok() && of_sheets(std::slice::from_ref(&year)).browsers.is_some(), "{year}");
        }
        assert_eq!(of_sheets(&["es6".into()]).browsers.unwrap().safari, Some(10 << 16));
        for name in ["esnext", "es2022", "chrome111", "safari16.4"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["es1999", "netscape4", "chrome", "modules", ""] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
