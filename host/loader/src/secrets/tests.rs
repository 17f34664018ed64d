use super::*;

#[test]
fn names_of_secrets_are_known_misspelt_too() {
    for name in [
        "api_key",
        "apiKey",
        "API-KEY",
        "apikey",
        "x-api-key",
        "x-goog-api-key",
        "Authorization",
        "proxy-authorization",
        "password",
        "db_password",
        "token",
        "hf_token",
        "access_token",
        "client-secret",
        "Cookie",
        "Set-Cookie",
        "api_kye",
        "apikye",
        "ap_key",
        "pasword",
        "passwrod",
        "Authorizaton",
        "sercet",
        "private_key",
        "auth",
        "api_key_2",
        "api_keys",
        "auth_header",
        "helicone-auth",
        "Ocp-Apim-Subscription-Key",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "",
        "key",
        "name",
        "taking",
        "api_key_env",
        "api_key_file",
        "password_env",
        "tokens",
        "max_tokens",
        "tokens_per_minute",
        "token_budget",
        "base_url",
        "model",
        "select",
        "top_k",
        "author",
        "path",
        "sort_key",
        "use",
        "passage",
        "keyphrases",
        "secretary",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn a_secret_is_masked_by_its_shape() {
    for (text, masked) in [
        ("`https://user:SECRET@api.example.org/v1` is wrong", "`https://********@api.example.org/v1` is wrong"),
        ("redis://:p@ss/w@host:6379/0", "redis://********@host:6379/0"),
        ("redis://a:b@x,redis://c:d@y", "redis://********@x,redis://********@y"),
        (
            "checkout (\"http\", me:pass@127.0.0.1:9), x=:pass@h.example",
            "checkout (\"http\", ********@127.0.0.1:9), x=********@h.example",
        ),
        ("http://h/v1?key=abc&x=1&api_key=d#e", "http://h/v1?key=********&x=1&api_key=********#e"),
        ("got \"sk-proj-Abc123_x-y\".", "got \"********\"."),
        ("ghp_abcdefghijklmnop1234 and AKIAIOSFODNN7EXAMPLE", "******** and ********"),
        ("Authorization: Bearer sk-SECRET, x", "Authorization: Bearer ********, x"),
        ("basic dXNlcjpwYXNz", "basic ********"),
        ("`--grant x=env:KEY=a b`: `env:KEY` takes", "`--grant x=env:KEY=********`: `env:KEY` takes"),
        ("permissions = [\"env:KEY=a8\", \"clock\"]", "permissions = [\"env:KEY=********\", \"clock\"]"),
    ] {
        assert_eq!(mask_secrets(text), masked);
    }
    for plain in [
        "http://127.0.0.1:8080/v1 and http://[::1]:80/@scope/x",
        "https://example.org/@scope/pkg?version=2",
        "scikit (sk-learn), a risk-free task; ask-Me1234567",
        "Bearer authentication is wanted, the bearer token",
        "me@example.org, npm:left-pad@1.0, at 10:15 @ann, 12:30@noon",
    ] {
        assert_eq!(mask_secrets(plain), plain);
    }
}
