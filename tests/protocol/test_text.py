import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol.text import MOST_ACCENTS, MOST_MARKS, safe_line, safe_text

#: What the rules are about, often enough that they meet each other.
SPECIAL = (
    "a\u05d0\u0645\u06cc\u0915\u094d\u0dca\u1820\u8449\U0001f469\u2764\U0001f3f4\U0001f3fd1\u20e3\u0301\u0338\u05b8\u0e31\u1161"
    "\u200b\u200c\u200d\u200e\u200f\ufe0f\ufe00\u180b\U000e0100\U000e0067\U000e007f\u00ad\u3164\u202e\x1b\r\n\t\u2028\U0001fffe"
    "\U0001e944\U000110b9"
)
anything = st.text(st.characters() | st.sampled_from(SPECIAL))
LANGUAGES = {
    "Vietnamese, decomposed": unicodedata.normalize("NFD", "Người Việt ở khắp nơi đều yêu tiếng mẹ đẻ"),
    "Greek, polytonic, decomposed": unicodedata.normalize("NFD", "ᾧ τινι δὴ ᾂσμα ΐαται"),
    "Hebrew with points and cantillation": "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים אֵ֥ת הַשָּׁמַ֖יִם",
    "Arabic with vowels": "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ",
    "Hijri year, with a joiner": "سنة ١٤٤٥ه\u200d",
    "Persian": "می\u200cخواهم به خانه\u200cهای آن\u200cها بروم",
    "Kurdish": "دەزانم کە ئەوان نایه\u200cن",
    "Urdu": "میں اردو بولتا ہوں۔",
    "Hindi": "क्षत्रिय ज्ञान हिन्दी में लिखें",
    "Hindi with an explicit virama": "क्\u200cष and क्\u200dष",
    "Marathi, eyelash ra": "दर्\u200dया",
    "Bengali, khanda ta of old": "উত্\u200dসব",
    "Sinhala": "ශ්\u200dරී ලංකාව",
    "Malayalam, chillu of old": "അവന്\u200d",
    "Tamil": "தமிழ் நாடு",
    "Telugu": "తెలుగు భాష",
    "Kannada": "ಕನ್ನಡ ರ್\u200dಯ",
    "Thai": "ที่นี่ไม่มีน้ำ ผู้ใหญ่",
    "Lao": "ຂ້ອຍບໍ່ຮູ້",
    "Khmer": "ខ្ញុំស្រឡាញ់ភាសាខ្មែរ",
    "Burmese": "မြန်မာဘာသာစကား မြို့",
    "Tibetan, the largest stack": "ཧྐྵྨླྺྼྻྂ བོད་སྐད",
    "Mongolian with selectors": "ᠮᠣᠩᠭᠣᠯ\u180b ᠠ\u180eᠠ",
    "Amharic": "ሰላም ለዓለም",
    "Georgian": "გამარჯობა მსოფლიო",
    "Armenian": "Բարեւ աշխարհ",
    "Cherokee": "ᎣᏏᏲ",
    "Japanese": "今日は、ガ行とぱ行。",
    "Japanese name with a variant": "葛\U000e0100城市、辻\U000e0101さん",
    "Japanese, decomposed": unicodedata.normalize("NFD", "がぎぐげご"),
    "Korean": "안녕하세요",
    "Korean, decomposed": unicodedata.normalize("NFD", "안녕하세요 값"),
    "Chinese beyond the first plane": "𠮷野家",
    "Russian with stress": "за\u0301мок и замо\u0301к",
    "Lithuanian": "į\u0307\u0301",
    "Phonetics": "t\u0361ʃʰã\u0330\u02d0",
    "Adlam": "𞤀𞤣𞤤𞤢𞤥 𞤆𞤵𞤤𞤢𞤪",
    "Chakma": "𑄌𑄋𑄴𑄟𑄳𑄦",
    "emoji": "👩‍👩‍👧‍👦 👩🏻‍❤️‍💋‍👨🏿 👍🏽 🏳️‍🌈 🏴‍☠️ ❤️ ☺︎ 1️⃣ #️⃣ 🇵🇱 👨🏽‍🚀 🧑‍🤝‍🧑 ©️",
    "the flag of Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "the flag of England": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "an emoji of next year, an icon of a font": "\U0001faea \ue0b0",
    "figures": "x ≤ y ∧ ∀z∈ℝ, ½ − 20\u202f°C \u00a0№ 5",
    "box drawing": "└── a │ ▇▆▅",
}


@given(anything)
def test_safe_text_is_text_without_anything_that_drives_a_terminal(text: str) -> None:
    safe = safe_text(text)
    safe.encode()
    for character in safe:
        assert unicodedata.category(character) not in {"Cc", "Cs"} or character in "\n\t"
        assert character not in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert len(safe) <= len(text)
    assert safe_text(safe) == safe


@given(anything)
def test_a_safe_line_is_one_line(text: str) -> None:
    safe = safe_line(text)
    assert len(safe.splitlines()) <= 1
    assert len(safe) <= len(text)
    assert safe_line(safe) == safe
    assert safe_text(safe) == safe


@given(st.text(st.sampled_from("\u0301\u0338\u20e3\u05b8\u0e31\u1161\u200c\u200d\U000e0100\U0001e944ae\u0645")))
def test_no_character_carries_a_tower(text: str) -> None:
    accents = marks = 0
    for character in safe_text(text):
        is_mark = unicodedata.category(character) in ("Mn", "Me", "Cf") or character == "\u1161"
        marks = marks + 1 if is_mark else 0
        accents = accents + 1 if character in "\u0301\u0338\u20e3" else 0
        assert marks <= MOST_MARKS
        assert accents <= MOST_ACCENTS


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_stay_as_they_are(language: str) -> None:
    assert safe_text(LANGUAGES[language]) == LANGUAGES[language]
    assert safe_line(LANGUAGES[language]) == LANGUAGES[language]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\r\nb\rc\u2028d\u2029e", "a\nb\nc\nd\ne"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x9b31m", "\ufffd31m"),
        ("nul\x00del\x7f", "nul\ufffddel\ufffd"),
        ("lone \ud800", "lone \ufffd"),
        ("gnp.\u202eexe", "gnp.\ufffdexe"),
        ("a\u2066b\u2069", "a\ufffdb\ufffd"),
        ("no \ufdd0 cha\uffffr\U0010fffe", "no \ufffd cha\ufffdr\ufffd"),
        ("pass\u200bword\u2060 soft\xadhyphen \ufeffbom", "password softhyphen bom"),
        ("שלום\u200f! abc\u200e \u061cعربي", "שלום! abc عربي"),
        ("\u2061f\u2062x\u2063y\u2064", "fxy"),
        ("\u3164\u115f\u1160\uffa0 filled", " filled"),
        ("a\u180eb \u17b4\u034f", "ab "),
        ("\ufff9annotated\ufffawith\ufffb", "annotatedwith"),
        ("hello\U000e0068\U000e0069 there", "hello\ufffd there"),
        ("🏴\U000e0067\U000e0062\U000e0068\U000e0069\U000e007f", "🏴\ufffd"),
        ("a\u200db\u200cc", "abc"),
        ("👩\u200d", "👩"),
        ("a\ufe0f \u200d\ufe0f👧", "a 👧"),
        ("می\u200c\u200cخواهم", "می\u200cخواهم"),
        ("👩" + "\u200d👩" * 5, "👩" + "\u200d👩" * 3 + "👩\u200d👩"),
        ("z\u0300\u0301\u0302\u0303\u0304\u0305algo", "z\u0300\u0301\u0302\u0303algo"),
        ("\u0e01" + "\u0e49" * 50, "\u0e01" + "\u0e49" * 8),
        ("क" + "ा" * 50, "क" + "ा" * 8),
        ("\u1100" + "\u1161" * 50, "\u1100" + "\u1161" * 8),
        ("\U0001e900" + "\U0001e944" * 50, "\U0001e900" + "\U0001e944" * 8),
    ],
)
def test_safe_text(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_a_line_has_neither_newline_nor_tab() -> None:
    assert safe_line("a\nb\tc\r\n") == "a\ufffdb\ufffdc\ufffd\ufffd"
    assert safe_line("a\u2028b\u2029é\n") == "a\ufffdb\ufffdé\ufffd"
