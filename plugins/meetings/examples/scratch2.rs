//! Scratch
use jackfield_plugin_api::*;
struct Quiet;
impl HostCalls for Quiet { fn log(&self, _: Level, _: &str, _: &str) {} fn progress(&self, _: u32, _: u64, _: Option<u64>, _: &str) {} fn cancelled(&self) -> bool { false } }
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let exts: Vec<_> = jackfield_meetings_exts();
    for f in &args[2..] {
        let text = std::fs::read_to_string(f).unwrap();
        let t = call(&exts, "transcript", serde_json::json!({"text": text}).to_string());
        println!("=== {f}");
        for name in args[1].split(',') {
            let out: serde_json::Value = serde_json::from_str(&call(&exts, name, t.clone())).unwrap();
            println!("--- {name}");
            for (k, v) in out.as_object().unwrap() { if k != "findings" { for x in v.as_array().unwrap_or(&vec![]) { println!("   {k}: {x}"); } } }
            for x in out["findings"].as_array().unwrap() { println!("  {} [{}] {} {}{}{}", x["confidence"], x["evidence"][0]["segment"].as_str().unwrap_or("-"), x["kind"].as_str().unwrap(), x["text"].as_str().unwrap(), x["owner"].as_str().map(|o| format!("  OWNER {o}")).unwrap_or_default(), x["due"].as_str().map(|o| format!("  DUE {o}")).unwrap_or_default());
              if std::env::var("E").is_ok() { for e in x["evidence"].as_array().unwrap() { println!("        {}: {}", e["speaker"], e["quote"]); } } }
        }
    }
}
fn jackfield_meetings_exts() -> Vec<std::sync::Arc<dyn Extension>> { let _ = std::any::type_name::<jackfield_meetings::Topics>(); let _ = std::any::type_name::<jackfield_transcript::Source>(); linked_in() }
fn call(exts: &[std::sync::Arc<dyn Extension>], name: &str, input: String) -> String {
    let e = exts.iter().find(|e| e.descriptor().name == name).unwrap_or_else(|| panic!("{name}"));
    let cfg = std::env::var(format!("CFG_{}", name.replace("-", "_"))).unwrap_or("{}".into()); let i = e.open(&cfg).unwrap();
    let context = Context { stage: name.into(), item: "i".into(), element: 0, replicate: 0, seed: 0 };
    let b = [Request { document: Document::new(input), context }];
    let mut f = i.call(&b, &Quiet);
    let std::task::Poll::Ready(mut r) = f.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) else { panic!() };
    r.remove(0).unwrap().json.to_string()
}
