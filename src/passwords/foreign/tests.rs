//! Hashes of one password, each made by another program than ours.

use crate::passwords::stored::{Fit, NotAHash, Stored};

const PASSWORD: &str = "correct horse battery staple";

/// Made by libxcrypt, and by Python's hashlib in the spellings of Django, PHC, passlib and Werkzeug.
const HASHES: &[&str] = &[
    "$2a$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
    "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
    "$2y$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
    "bcrypt$$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
    "pbkdf2_sha1$1000$saltsaltsaltsalt$XfAg5IAz304UvYgmglt9ZXw8wLc=",
    "$pbkdf2-sha1$i=1000,l=20$c2FsdHNhbHRzYWx0c2FsdA$XfAg5IAz304UvYgmglt9ZXw8wLc",
    "$pbkdf2$1000$c2FsdHNhbHRzYWx0c2FsdA$XfAg5IAz304UvYgmglt9ZXw8wLc",
    "pbkdf2:sha1:1000$saltsaltsaltsalt$5df020e48033df4e14bd8826825b7d657c3cc0b7",
    "pbkdf2_sha256$1000$saltsaltsaltsalt$31ltvuXrbs8POP2F4tw9851NSNQCQpm0sCwu2eEvId8=",
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$31ltvuXrbs8POP2F4tw9851NSNQCQpm0sCwu2eEvId8",
    "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0c2FsdA$31ltvuXrbs8POP2F4tw9851NSNQCQpm0sCwu2eEvId8",
    "pbkdf2:sha256:1000$saltsaltsaltsalt$df596dbee5eb6ecf0f38fd85e2dc3df39d4d48d4024299b4b02c2ed9e12f21df",
    "$pbkdf2-sha512$1000$c2FsdHNhbHRzYWx0c2FsdA$ORxvnPF08mmTltUf/WSLS8FZ3yYanqBrD.km4rpMr07F2ze7/s1VLAjm.ry9RrSLc7aA5i7\
     XxlkTGvDGO5vcpw",
    "scrypt$1024$saltsaltsaltsalt$8$2$qadhXBV6dk7aDLzFfdfaYy/Yq2zBxbYIwoxHMeMuxvvz9g7dKBgIpk6hwYsyjWy55HWxLFVENu5/ohqC\
     60EPZw==",
    "scrypt:1024:8:2$saltsaltsaltsalt$a9a7615c157a764eda0cbcc57dd7da632fd8ab6cc1c5b608c28c4731e32ec6fbf3f60edd281808a\
     64ea1c18b328d6cb9e475b12c554436ee7fa21a82eb410f67",
    "$scrypt$ln=10,r=8,p=2$c2FsdHNhbHRzYWx0c2FsdA$qadhXBV6dk7aDLzFfdfaYy/Yq2zBxbYIwoxHMeMuxvs",
];

#[test]
fn each_hash_fits_its_password_and_no_other() {
    for text in HASHES {
        let stored = Stored::import(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(stored.fits(PASSWORD), Fit::AsTyped, "{text}");
        for other in ["correct horse battery stapl", "correct horse battery staple ", "", text] {
            assert_eq!(stored.fits(other), Fit::No, "{text}: {other}");
        }
        assert!(!stored.is_at_least(0, 0), "{text}");
    }
}

/// Row 24: with bcrypt's own rule every password that begins with the same 72 bytes would do.
#[test]
fn what_bcrypt_would_cut_off_is_never_right() {
    let longest = "0123456789ab".repeat(6);
    let hash = bcrypt::hash(&longest, 4).unwrap();
    let stored = Stored::import(&hash).unwrap();
    assert_eq!(stored.fits(&longest), Fit::AsTyped, "72 bytes are seen whole");
    assert_eq!(stored.fits(&format!("{longest}c")), Fit::No);
    let ends_at_zero = Stored::import(&bcrypt::hash("correct horse", 4).unwrap()).unwrap();
    assert_eq!(ends_at_zero.fits("correct horse\0correct horse"), Fit::No);
}

#[test]
fn what_costs_too_much_is_not_taken() {
    let (salt, output) = ("c2FsdHNhbHRzYWx0c2FsdA", "31ltvuXrbs8POP2F4tw9851NSNQCQpm0sCwu2eEvId8");
    for dear in [
        "$2b$15$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS".to_owned(),
        format!("$pbkdf2-sha256$3000001${salt}${output}"),
        format!("$scrypt$ln=19,r=8,p=1${salt}${output}"),
        format!("$scrypt$ln=14,r=8,p=17${salt}${output}"),
        format!("$argon2id$v=19$m=262145,t=1,p=1${salt}${output}"),
        format!("$argon2id$v=19$m=262144,t=6,p=1${salt}${output}"),
        format!("$argon2i$v=19$m=1024,t=4000000,p=1${salt}${output}"),
    ] {
        assert_eq!(Stored::import(&dear).err(), Some(NotAHash::TooDear), "{dear}");
    }
    for (text, why) in [
        (format!("$pbkdf2-sha256$1000${salt}$31ltvuXrbs8POP2F4tw9"), NotAHash::TooShort),
        (format!("$argon2id$v=19$m=19456,t=2,p=1${salt}$31ltvuXrbs8POP2F"), NotAHash::TooShort),
        (format!("$argon2id$v=19$m=19456,t=2,p=1${salt}"), NotAHash::Damaged),
        (format!("$pbkdf2-sha256$0${salt}${output}"), NotAHash::Damaged),
        (format!("$pbkdf2-sha256$many${salt}${output}"), NotAHash::Damaged),
        (format!("$scrypt$ln=15,r=0,p=1${salt}${output}"), NotAHash::Damaged),
        (format!("scrypt:1000:8:1${salt}$00"), NotAHash::Damaged),
        (format!("scrypt:1024:8:1${salt}$0g"), NotAHash::Damaged),
        ("$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO".to_owned(), NotAHash::Damaged),
        ("$2x$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS".to_owned(), NotAHash::Unknown),
        (format!("bcrypt_sha256$${salt}"), NotAHash::Unknown),
        ("5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), NotAHash::Unknown),
        ("correct horse battery staple".to_owned(), NotAHash::Unknown),
        (String::new(), NotAHash::Unknown),
    ] {
        assert_eq!(Stored::import(&text).err(), Some(why), "{text}");
    }
}
