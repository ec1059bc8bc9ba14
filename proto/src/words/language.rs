use std::env;

/// The language of names and words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, simplified.
    Zh,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The language of the environment: the first of LC_ALL, LC_MESSAGES and LANG that is set decides.
    #[must_use]
    pub fn of_environment() -> Self {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self::of_locale(&["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default())
    }

    /// The language of a locale or a BCP 47 tag: `zh_CN.UTF-8`, `zh-Hans`. English where it is neither.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let chinese = locale.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("zh"));
        if chinese { Self::Zh } else { Self::En }
    }

    /// The BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The word of this language.
    #[must_use]
    pub fn word<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_on_the_language() {
        for (locale, language) in [
            ("zh_CN.UTF-8", Language::Zh),
            ("zh", Language::Zh),
            ("ZH-Hans-CN", Language::Zh),
            ("en_GB.UTF-8", Language::En),
            ("C", Language::En),
            ("中文", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }
}
