//! The words that the model learns.

/// A thing: its name, two qualities that it always has, and where it is.
pub struct Thing {
    pub name: &'static str,
    pub qualities: [&'static str; 2],
    pub place: &'static str,
}

/// A state of a thing: its name, what a letter asks because of it, and what a child does about it in a story.
pub struct State {
    pub name: &'static str,
    pub request: &'static str,
    pub event: &'static str,
}

/// Something that can be done, and with what.
pub struct Deed {
    pub name: &'static str,
    pub means: &'static str,
}

/// What a list is asked of, and its entries.
pub struct Group {
    pub name: &'static str,
    pub members: [&'static str; 3],
}

/// A question in several wordings, and its answer.
pub struct Fact {
    pub wordings: [&'static str; 3],
    pub about: &'static str,
    pub answer: &'static str,
}

const fn thing(name: &'static str, first: &'static str, second: &'static str, place: &'static str) -> Thing {
    Thing { name, qualities: [first, second], place }
}

pub const THINGS: [Thing; 40] = [
    thing("heater", "warm", "loud", "in the cellar"),
    thing("roof", "high", "red", "above the house"),
    thing("garden", "green", "quiet", "behind the house"),
    thing("bridge", "long", "narrow", "over the river"),
    thing("bicycle", "fast", "light", "in the yard"),
    thing("parcel", "heavy", "square", "at the door"),
    thing("window", "wide", "clear", "in the kitchen"),
    thing("door", "tall", "brown", "in the hall"),
    thing("umbrella", "black", "large", "in the hall"),
    thing("piano", "heavy", "black", "in the school"),
    thing("lamp", "bright", "small", "on the table"),
    thing("clock", "round", "loud", "on the tower"),
    thing("boat", "narrow", "white", "on the lake"),
    thing("tent", "light", "green", "in the forest"),
    thing("fence", "long", "white", "around the yard"),
    thing("kitchen", "bright", "clean", "in the house"),
    thing("cellar", "dark", "cold", "under the house"),
    thing("tower", "tall", "gray", "on the hill"),
    thing("market", "busy", "loud", "in the town"),
    thing("library", "quiet", "large", "in the town"),
    thing("museum", "quiet", "bright", "by the river"),
    thing("playground", "busy", "wide", "by the school"),
    thing("fountain", "round", "cold", "in the park"),
    thing("oven", "hot", "square", "in the kitchen"),
    thing("sofa", "soft", "brown", "in the hall"),
    thing("carpet", "soft", "red", "under the table"),
    thing("camera", "small", "black", "in the bag"),
    thing("radio", "small", "loud", "on the table"),
    thing("map", "wide", "thin", "on the wall"),
    thing("ladder", "tall", "light", "in the cellar"),
    thing("ticket", "thin", "small", "in the bag"),
    thing("invoice", "long", "thin", "on the table"),
    thing("contract", "long", "clear", "in the bag"),
    thing("timetable", "clear", "square", "on the wall"),
    thing("concert", "loud", "long", "in the park"),
    thing("festival", "busy", "bright", "in the park"),
    thing("meeting", "long", "quiet", "in the school"),
    thing("picnic", "warm", "green", "by the lake"),
    thing("orchard", "green", "wide", "on the hill"),
    thing("street", "busy", "narrow", "in the town"),
];

const fn state(name: &'static str, request: &'static str, event: &'static str) -> State {
    State { name, request, event }
}

pub const STATES: [State; 14] = [
    state("broken", "Please help me to repair it.", "repaired it"),
    state("new", "I like it very much.", "looked at it all day"),
    state("old", "It needs some care.", "took care of it"),
    state("lost", "Please help me to find it.", "found it"),
    state("late", "I wait for it every day.", "waited for it"),
    state("early", "I was not ready for it.", "ran to it"),
    state("dirty", "Please help me to clean it.", "cleaned it"),
    state("empty", "I wonder why nobody is there.", "sang in it"),
    state("expensive", "I cannot pay for it.", "saved money for it"),
    state("famous", "I want to see it soon.", "made a picture of it"),
    state("little", "I wish that it was larger.", "played with it"),
    state("closed", "Please open it again.", "opened it"),
    state("strange", "I do not understand it.", "asked about it"),
    state("beautiful", "I am happy about it.", "smiled at it"),
];

/// Those to whom one writes, with how they are addressed.
pub const PEOPLE: [[&str; 2]; 24] = [
    ["my landlord", "landlord"],
    ["my neighbor", "neighbor"],
    ["my aunt", "aunt"],
    ["my uncle", "uncle"],
    ["my teacher", "teacher"],
    ["my boss", "boss"],
    ["my friend", "friend"],
    ["my sister", "sister"],
    ["my brother", "brother"],
    ["my cousin", "cousin"],
    ["my doctor", "doctor"],
    ["my grandmother", "grandmother"],
    ["my colleague", "colleague"],
    ["the mayor", "mayor"],
    ["the manager", "manager"],
    ["the director", "director"],
    ["the captain", "captain"],
    ["the farmer", "farmer"],
    ["the baker", "baker"],
    ["the editor", "editor"],
    ["the plumber", "plumber"],
    ["the librarian", "librarian"],
    ["the gardener", "gardener"],
    ["the nurse", "nurse"],
];

const fn deed(name: &'static str, means: &'static str) -> Deed {
    Deed { name, means }
}

pub const DEEDS: [Deed; 8] = [
    deed("clean", "with warm water"),
    deed("paint", "with a brush"),
    deed("sell", "for a fair price"),
    deed("find", "with a map"),
    deed("visit", "with a friend"),
    deed("draw", "with a pencil"),
    deed("protect", "from the rain"),
    deed("improve", "step by step"),
];

const fn group(name: &'static str, members: [&'static str; 3]) -> Group {
    Group { name, members }
}

pub const GROUPS: [Group; 20] = [
    group("fruits", ["apple", "pear", "plum"]),
    group("animals", ["horse", "rabbit", "otter"]),
    group("colors", ["red", "green", "blue"]),
    group("tools", ["hammer", "saw", "pliers"]),
    group("trees", ["oak", "birch", "maple"]),
    group("flowers", ["rose", "tulip", "lily"]),
    group("birds", ["sparrow", "owl", "robin"]),
    group("vegetables", ["carrot", "onion", "potato"]),
    group("sports", ["tennis", "rowing", "hockey"]),
    group("instruments", ["violin", "flute", "drum"]),
    group("drinks", ["water", "tea", "juice"]),
    group("metals", ["iron", "copper", "silver"]),
    group("seasons", ["spring", "summer", "autumn"]),
    group("months", ["January", "February", "March"]),
    group("days", ["Monday", "Tuesday", "Friday"]),
    group("fish", ["trout", "salmon", "herring"]),
    group("clothes", ["coat", "shirt", "scarf"]),
    group("vehicles", ["car", "bus", "train"]),
    group("jobs", ["baker", "nurse", "pilot"]),
    group("shapes", ["circle", "square", "star"]),
];

const fn fact(wordings: [&'static str; 3], about: &'static str, answer: &'static str) -> Fact {
    Fact { wordings, about, answer }
}

const COLOR: [&str; 3] = ["What color is {}?", "Which color does {} have?", "Tell me the color of {}."];
const HOME: [&str; 3] = ["Where do {} live?", "In which place do {} live?", "Tell me where {} live."];
const FOOD: [&str; 3] = ["What do {} eat?", "Which food do {} like?", "Tell me what {} eat."];
const CONTRARY: [&str; 3] =
    ["What is the opposite of {}?", "Which word is the opposite of {}?", "Tell me the opposite of {}."];

pub const FACTS: [Fact; 32] = [
    fact(COLOR, "grass", "Grass is green."),
    fact(COLOR, "snow", "Snow is white."),
    fact(COLOR, "coal", "Coal is black."),
    fact(COLOR, "the sky", "The sky is blue."),
    fact(COLOR, "a lemon", "A lemon is yellow."),
    fact(COLOR, "a carrot", "A carrot is orange."),
    fact(COLOR, "a cherry", "A cherry is red."),
    fact(COLOR, "an elephant", "An elephant is gray."),
    fact(HOME, "penguins", "Penguins live on the ice."),
    fact(HOME, "camels", "Camels live in the desert."),
    fact(HOME, "bees", "Bees live in a hive."),
    fact(HOME, "owls", "Owls live in the forest."),
    fact(HOME, "frogs", "Frogs live by the pond."),
    fact(HOME, "whales", "Whales live in the sea."),
    fact(HOME, "moles", "Moles live under the ground."),
    fact(HOME, "storks", "Storks live on the roof."),
    fact(FOOD, "cows", "Cows eat grass."),
    fact(FOOD, "cats", "Cats eat mice."),
    fact(FOOD, "rabbits", "Rabbits eat carrots."),
    fact(FOOD, "bears", "Bears eat honey and fish."),
    fact(FOOD, "monkeys", "Monkeys eat fruits."),
    fact(FOOD, "squirrels", "Squirrels eat nuts."),
    fact(FOOD, "seals", "Seals eat fish."),
    fact(FOOD, "pandas", "Pandas eat bamboo."),
    fact(CONTRARY, "cold", "The opposite of cold is hot."),
    fact(CONTRARY, "big", "The opposite of big is small."),
    fact(CONTRARY, "dark", "The opposite of dark is bright."),
    fact(CONTRARY, "heavy", "The opposite of heavy is light."),
    fact(CONTRARY, "loud", "The opposite of loud is quiet."),
    fact(CONTRARY, "slow", "The opposite of slow is fast."),
    fact(CONTRARY, "empty", "The opposite of empty is full."),
    fact(CONTRARY, "early", "The opposite of early is late."),
];
