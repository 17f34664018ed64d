//! Scratch.
use jackfield_plugin_api::*;
use jackfield_transcript::*;
struct Quiet;
impl HostCalls for Quiet {
    fn log(&self, _: Level, _: &str, _: &str) {}
    fn progress(&self, _: u32, _: u64, _: Option<u64>, _: &str) {}
    fn cancelled(&self) -> bool { false }
}
fn main() {
    let n = 1_200_000;
    let plain: String = (0..n).map(|i| format!("[00:{:02}:{:02}] Speaker {}: we think that the remote should be simple, um, and cheap. Right?\n", i / 60 % 60, i % 60, i % 7)).collect();
    let one = "we think that the remote should be simple, um, and cheap. Right? ".repeat(n * 100 / 65);
    let vtt: String = std::iter::once("WEBVTT\n\n".to_owned()).chain((0..n).map(|i| format!("00:{:02}:{:02}.000 --> 00:50:00.000\n<v Sp {}>we think that the remote should be simple, um, and cheap. Right?\n\n", i / 60 % 60, i % 60, i % 7))).collect();
    let json: String = format!("[{}]", (0..n).map(|i| format!("{{\"speaker\":\"Sp {}\",\"text\":\"we think that the remote should be simple, um, and cheap. Right?\"}}", i % 7)).collect::<Vec<_>>().join(","));
    let odd = format!("Ann: {}", "<".repeat(50_000_000));
    let odd2 = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{}>", "<".repeat(50_000_000));
    for (name, text) in [("plain", plain), ("one", one), ("vtt", vtt), ("json", json), ("odd", odd), ("odd2", odd2)] {
        let e = linked_in().into_iter().find(|e| e.descriptor().name == "transcript").unwrap();
        let bytes = text.len();
        let reader: ReadTranscript = serde_json::from_str("{}").unwrap();
        let _ = e;
        let context = Context { stage: "t".into(), item: "i".into(), element: 0, replicate: 0, seed: 0 };
        let host = Host::new(&Quiet, &context, 0);
        let t = std::time::Instant::now();
        let mut f = Box::pin(reader.analyze(Source { text, name: None }, &host));
        let std::task::Poll::Ready(r) = std::future::Future::poll(f.as_mut(), &mut std::task::Context::from_waker(std::task::Waker::noop())) else { panic!() };
        println!("{name} {bytes} {:?} {:?}", t.elapsed(), r.map(|r| r.segments.len()));
    }
}
