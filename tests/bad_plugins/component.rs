//! Components written by hand, for what no compiler would make of the contract.

/// One extension, as the component's memory describes it.
#[derive(Clone)]
pub struct Described {
    pub kind: &'static [u8],
    pub name: &'static [u8],
    pub version: &'static [u8],
    pub config: &'static [u8],
    pub input: &'static [u8],
    pub output: &'static [u8],
    /// Names and reasons.
    pub permissions: &'static [(&'static [u8], &'static [u8])],
    pub stability: u8,
}

impl Default for Described {
    fn default() -> Self {
        Self {
            kind: b"analyzer",
            name: b"hand",
            version: b"1.0.0",
            config: br#"{"type":"object"}"#,
            input: b"{}",
            output: br#"{"type":"object"}"#,
            permissions: &[],
            stability: 0,
        }
    }
}

/// A component with the exports of the contract. What it was not told otherwise it does well.
#[derive(Clone)]
pub struct Hand {
    pub offers: Vec<Described>,
    /// Body of `describe`, in place of one that answers `offers`. Its result is the address of a list.
    pub describe: Option<String>,
    /// Body of `open`, in place of one that succeeds. Its result is the address of a result.
    pub open: Option<String>,
    /// Body of `call`, in place of one that answers `answer` to each request.
    pub call: Option<String>,
    /// JSON of an answer.
    pub answer: &'static [u8],
    /// Pages of memory that it begins with.
    pub pages: u32,
    /// Further imports, at the component's top.
    pub imports: &'static str,
    /// Core functions that those define: name and type.
    pub lowered: &'static [(&'static str, &'static str)],
    /// Version of the contract.
    pub version: &'static str,
}

impl Default for Hand {
    fn default() -> Self {
        Self {
            offers: vec![Described::default()],
            describe: None,
            open: None,
            call: None,
            answer: b"{}",
            pages: 2,
            imports: "",
            lowered: &[],
            version: "0.1.0",
        }
    }
}

/// An endless loop, with a result for the type checker.
pub const FOR_EVER: &str = "(loop $again (br $again)) (i32.const 0)";

// The memory: 256 the pair that a function answers, 320 a result that is Ok, 512 the answer, 1024 the descriptors with their
// permissions and texts, 65536 the heap.
const TEXTS: usize = 1024;
const DESCRIPTOR: usize = 76;
const PERMISSION: usize = 16;

impl Hand {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        wat::parse_str(self.text()).expect("a component")
    }

    /// Its text.
    pub fn text(&self) -> String {
        let Self { pages, imports, version, .. } = self;
        let list = |at: &str, count: &str| {
            format!("(i32.store (i32.const 256) {at}) (i32.store (i32.const 260) {count}) (i32.const 256)")
        };
        let described = list(&format!("(i32.const {TEXTS})"), &format!("(i32.const {})", self.offers.len()));
        let describe = self.describe.as_ref().unwrap_or(&described);
        let open = self.open.as_deref().unwrap_or("(i32.const 320)");
        let answers = format!(
            "(local.set $list (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.mul (local.get $count) (i32.const 40))))
             (local.set $one (local.get $list))
             (local.set $left (local.get $count))
             (block $done
               (loop $next
                 (br_if $done (i32.eqz (local.get $left)))
                 (i32.store offset=8 (local.get $one) (i32.const 512))
                 (i32.store offset=12 (local.get $one) (i32.const {}))
                 (local.set $one (i32.add (local.get $one) (i32.const 40)))
                 (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                 (br $next)))
             {}",
            self.answer.len(),
            list("(local.get $list)", "(local.get $count)"),
        );
        let call = self.call.as_ref().unwrap_or(&answers);
        let each =
            |one: fn(&str, &str) -> String| self.lowered.iter().map(|(name, of)| one(name, of)).collect::<String>();
        let taken = each(|name, of| format!("(import \"host\" \"{name}\" (func ${name} {of}))"));
        let given = each(|name, _| format!("(export \"{name}\" (func ${name}))"));
        let (texts, answer) = (escaped(&self.texts()), escaped(self.answer));
        format!(
            r#"(component
  {imports}
  (import "jackfield:plugin/host@0.1.0" (instance $host (export "cancelled" (func (result bool)))))
  (core func $cancelled (canon lower (func $host "cancelled")))
  (core module $module
    (import "host" "cancelled" (func $cancelled (result i32)))
    {taken}
    (memory (export "memory") {pages})
    (data (i32.const 512) "{answer}")
    (data (i32.const {TEXTS}) "{texts}")
    (global $heap (mut i32) (i32.const 65536))
    (func $deeper (call $deeper))
    (func $realloc (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (local.get $at))
    (func (export "describe") (result i32) {describe})
    (func (export "open") (param i32 i32 i32 i32 i32 i32) (result i32) {open})
    (func (export "call") (param $batch i32) (param $count i32) (result i32)
      (local $list i32) (local $one i32) (local $left i32)
      {call}))
  (core instance $core (instantiate $module (with "host" (instance (export "cancelled" (func $cancelled)) {given}))))
  (alias core export $core "memory" (core memory $memory))
  (alias core export $core "realloc" (core func $realloc))

  (type $permission' (record (field "name" string) (field "reason" string)))
  (export $permission "permission" (type $permission'))
  (type $example' (record (field "summary" string) (field "config" string) (field "input" string) (field "output" string)))
  (export $example "example" (type $example'))
  (type $stability' (enum "experimental" "beta" "stable"))
  (export $stability "stability" (type $stability'))
  (type $descriptor' (record (field "kind" string) (field "name" string) (field "version" string) (field "summary" string)
    (field "config-schema" string) (field "input-schema" string) (field "output-schema" string)
    (field "permissions" (list $permission)) (field "examples" (list $example)) (field "stability" $stability)))
  (export $descriptor "descriptor" (type $descriptor'))
  (func $describe (result (list $descriptor)) (canon lift (core func $core "describe") (memory $memory)))
  (instance $meta (export "describe" (func $describe)))
  (export "jackfield:plugin/meta@{version}" (instance $meta))

  (type $tensor' (record (field "name" string) (field "shape" (list u64)) (field "data" (list f32))))
  (export $tensor "tensor" (type $tensor'))
  (type $document' (record (field "json" (list u8)) (field "tensors" (list $tensor))))
  (export $document "document" (type $document'))
  (type $context' (record (field "stage" string) (field "item" string) (field "element" u32) (field "replicate" u32) (field "seed" u64)))
  (export $context "context" (type $context'))
  (type $request' (record (field "document" $document) (field "context" $context)))
  (export $request "request" (type $request'))
  (type $rate-limit' (record (field "message" string) (field "after-ms" (option u64))))
  (export $rate-limit "rate-limit" (type $rate-limit'))
  (type $failure' (variant (case "invalid-config" string) (case "invalid-input" string) (case "invalid-output" string)
    (case "unavailable" string) (case "rate-limited" $rate-limit) (case "cancelled" string) (case "over-budget" string)
    (case "internal" string)))
  (export $failure "failure" (type $failure'))
  (func $open (param "kind" string) (param "name" string) (param "config" string) (result (result (error $failure)))
    (canon lift (core func $core "open") (memory $memory) (realloc $realloc)))
  (func $call (param "batch" (list $request)) (result (list (result $document (error $failure))))
    (canon lift (core func $core "call") (memory $memory) (realloc $realloc)))
  (instance $extension (export "open" (func $open)) (export "call" (func $call)))
  (export "jackfield:plugin/extension@{version}" (instance $extension)))"#
        )
    }

    /// The descriptors, then the permissions and then the texts that they point to.
    fn texts(&self) -> Vec<u8> {
        let (mut records, mut permissions, mut texts) = (Vec::new(), Vec::new(), Vec::<u8>::new());
        let first_permission = TEXTS + DESCRIPTOR * self.offers.len();
        let count: usize = self.offers.iter().map(|offer| offer.permissions.len()).sum();
        let first_text = first_permission + PERMISSION * count;
        let mut add = |records: &mut Vec<u8>, text: &[u8]| {
            records.extend(((first_text + texts.len()) as u32).to_le_bytes());
            records.extend((text.len() as u32).to_le_bytes());
            texts.extend(text);
        };
        for offer in &self.offers {
            for text in
                [offer.kind, offer.name, offer.version, b"Made by hand", offer.config, offer.input, offer.output]
            {
                add(&mut records, text);
            }
            records.extend(((first_permission + permissions.len()) as u32).to_le_bytes());
            records.extend((offer.permissions.len() as u32).to_le_bytes());
            for (name, reason) in offer.permissions {
                add(&mut permissions, name);
                add(&mut permissions, reason);
            }
            records.extend([0; 8]); // no examples
            records.extend([offer.stability, 0, 0, 0]);
        }
        records.extend(permissions);
        records.extend(texts);
        records
    }
}

/// Bytes as the text format writes them.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}
