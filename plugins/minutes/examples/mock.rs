use jackfield_minutes as _;
use jackfield_plugin_api::{Context, Document, Extension, HostCalls, Level, Request, linked_in};
use serde_json::{Value, json};
use std::{collections::BTreeMap, future::Future, io::Read, pin::pin, sync::Arc, task};
struct Alone;
impl HostCalls for Alone {
    fn log(&self, _level: Level, _: &str, _: &str) {}
    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}
fn main() {
    let mut t = String::new();
    std::io::stdin().read_to_string(&mut t).unwrap();
    let v: Value = serde_json::from_str(&t).unwrap();
    let ex: BTreeMap<String, Arc<dyn Extension>> =
        linked_in().into_iter().map(|e| (e.descriptor().name.clone(), e)).collect();
    let run = |name: &str, input: &Value| -> Value {
        let i = ex[name].open("{}").unwrap();
        let context = Context { stage: name.into(), item: "x".into(), element: 0, replicate: 0, seed: 1 };
        let batch = [Request { document: Document::new(input.to_string()), context }];
        let f = pin!(i.call(&batch, &Alone));
        let task::Poll::Ready(r) = f.poll(&mut task::Context::from_waker(task::Waker::noop())) else { panic!() };
        serde_json::from_str(&r.into_iter().next().unwrap().unwrap().json).unwrap()
    };
    let r = run("risks", &v);
    let a = run("agreements", &v);
    let mut f = v["findings"].as_array().unwrap().clone();
    f.push(r);
    let b = run("brief", &json!({"transcript": v["transcript"], "agreements": a, "findings": f}));
    println!("{}", b["markdown"].as_str().unwrap());
    println!("{} {} {}", b["tokens"], b["included"], b["left_out"]);
    if std::env::args().nth(1).is_some() {
        println!("{}", run("dashboard", &json!({"findings": f}))["csv"].as_str().unwrap())
    }
}
