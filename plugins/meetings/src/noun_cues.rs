//! Which words stand before nouns, and which before verbs and adjectives, by language.

use jackfield_text::language::Language;

/// Words before a noun, and words before a verb or an adjective.
pub(crate) struct NounCues {
    pub(crate) before_nouns: &'static [&'static str],
    pub(crate) before_verbs: &'static [&'static str],
}

static ENGLISH: NounCues = NounCues {
    before_nouns: &[
        "a", "about", "an", "and", "any", "at", "by", "each", "every", "for", "from", "her", "his", "in", "its",
        "more", "my", "no", "of", "on", "our", "per", "s", "some", "that", "the", "their", "these", "this", "those",
        "with", "your",
    ],
    before_verbs: &[
        "are", "be", "been", "being", "can", "cannot", "could", "d", "did", "do", "does", "don't", "gonna", "had",
        "has", "have", "he", "i", "is", "it", "just", "ll", "m", "may", "might", "must", "not", "quite", "re",
        "really", "shall", "she", "should", "so", "they", "to", "too", "ve", "very", "was", "we", "were", "who",
        "will", "would", "you",
    ],
};

static GERMAN: NounCues = NounCues {
    before_nouns: &[
        "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines", "kein", "keine",
        "keinen", "unser", "unsere", "unseren", "ihr", "ihre", "ihren", "sein", "seine", "mein", "meine", "dieser",
        "diese", "dieses", "diesen", "jede", "jeder", "jedes", "zum", "zur", "im", "am", "vom", "beim", "für", "über",
        "von", "mit", "ohne", "aus", "bei", "nach", "in", "pro", "je",
    ],
    before_verbs: &[
        "ich", "wir", "er", "sie", "es", "man", "nicht", "zu", "auch", "noch", "schon", "sehr", "so", "ist", "sind",
        "war", "wird", "werden", "dann", "wer", "wo", "wie",
    ],
};

static FRENCH: NounCues = NounCues {
    before_nouns: &[
        "le", "la", "les", "l", "un", "une", "des", "du", "de", "d", "au", "aux", "à", "ce", "cet", "cette", "ces",
        "mon", "ma", "mes", "notre", "nos", "votre", "vos", "leur", "leurs", "son", "sa", "ses", "chaque", "en",
        "pour", "par", "sur", "avec", "sans", "quel", "quelle", "quels", "quelles",
    ],
    before_verbs: &[
        "je", "j", "tu", "il", "elle", "on", "nous", "vous", "ils", "elles", "ne", "n", "pas", "est", "sont", "était",
        "ont", "a", "avons", "avez", "qui", "se", "s", "plus", "très", "bien", "y", "m", "t",
    ],
};

static SPANISH: NounCues = NounCues {
    before_nouns: &[
        "el", "la", "los", "las", "un", "una", "unos", "unas", "del", "al", "de", "a", "en", "con", "sin", "por",
        "para", "este", "esta", "estos", "estas", "ese", "esa", "mi", "su", "sus", "nuestro", "nuestra", "nuestros",
        "nuestras", "cada", "qué", "cuántas", "cuántos",
    ],
    before_verbs: &[
        "yo", "tú", "él", "ella", "nosotros", "ellos", "no", "se", "me", "te", "lo", "nos", "les", "que", "es", "son",
        "está", "están", "ha", "han", "he", "hemos", "muy", "más", "también", "quién", "cuánto", "cuándo", "ya",
    ],
};

static ITALIAN: NounCues = NounCues {
    before_nouns: &[
        "il", "lo", "la", "i", "gli", "le", "l", "un", "uno", "una", "del", "dello", "della", "dei", "degli", "delle",
        "dell", "al", "allo", "alla", "ai", "agli", "alle", "all", "nel", "nella", "nei", "nelle", "sul", "sulla",
        "di", "da", "in", "con", "per", "questo", "questa", "questi", "queste", "nostro", "nostra", "loro", "ogni",
    ],
    before_verbs: &[
        "io", "tu", "lui", "lei", "noi", "voi", "non", "si", "mi", "ti", "ci", "vi", "che", "chi", "è", "sono", "ha",
        "hanno", "abbiamo", "molto", "più", "quanto", "quando", "va",
    ],
};

static PORTUGUESE: NounCues = NounCues {
    before_nouns: &[
        "o", "a", "os", "as", "um", "uma", "uns", "umas", "do", "da", "dos", "das", "ao", "à", "aos", "às", "no", "na",
        "nos", "nas", "de", "em", "com", "sem", "por", "para", "pelo", "pela", "este", "esta", "esse", "essa", "nosso",
        "nossa", "cada",
    ],
    before_verbs: &[
        "eu", "tu", "ele", "ela", "nós", "eles", "elas", "não", "se", "me", "te", "que", "quem", "é", "são", "está",
        "estão", "tem", "têm", "foi", "muito", "mais", "quanto", "quando",
    ],
};

static DUTCH: NounCues = NounCues {
    before_nouns: &[
        "de", "het", "een", "geen", "deze", "dit", "die", "dat", "mijn", "ons", "onze", "hun", "zijn", "haar", "elke",
        "elk", "van", "voor", "met", "over", "op", "in", "bij", "uit", "naar", "om", "zonder", "per",
    ],
    before_verbs: &[
        "ik", "je", "jij", "hij", "ze", "we", "wij", "jullie", "niet", "te", "ook", "nog", "al", "heel", "erg", "is",
        "zijn", "was", "wordt", "worden", "kan", "kunnen", "dan", "wie",
    ],
};

/// The cues of a language; those of a language without any are empty, so that no word is taken for a noun or a verb by them.
pub(crate) fn of(language: Language) -> &'static NounCues {
    static NONE: NounCues = NounCues { before_nouns: &[], before_verbs: &[] };
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
        Language::French => &FRENCH,
        Language::Spanish => &SPANISH,
        Language::Italian => &ITALIAN,
        Language::Portuguese => &PORTUGUESE,
        Language::Dutch => &DUTCH,
        _ => &NONE,
    }
}

/// Whether what a noun is like stands behind it: `mesas viejas`.
pub(crate) const fn has_noun_first(language: Language) -> bool {
    matches!(
        language,
        Language::French
            | Language::Spanish
            | Language::Italian
            | Language::Portuguese
            | Language::Romanian
            | Language::Arabic
    )
}
