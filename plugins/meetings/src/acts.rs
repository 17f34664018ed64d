//! What a turn does in talk: it proposes, assents, refuses, puts off, takes on, … as its phrases tell.

use std::sync::LazyLock;

use jackfield_text::phrases::Phrases;

/// What a turn may do. A turn may do several things at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[expect(dead_code, reason = "all acts are signals, and some of them are asked for by name too")]
pub(crate) enum Act {
    /// `I think`, `maybe`, `could`: said with reserve.
    Hedge,
    /// `We should`, `how about`, `let's`.
    Propose,
    /// `So we go with`, `then it's`.
    Settle,
    /// `So we've`, `to recap`, `basically`.
    Recap,
    /// `Without`, `we don't need`, `too expensive`.
    Exclude,
    /// `Isn't it`, `don't you think`.
    NegativeQuestion,
    /// `I agree`, `sounds good`, `exactly`.
    Agree,
    /// `Yeah`, `okay`, `right`.
    Assent,
    /// `No`, `but`, `I don't think`.
    Refuse,
    /// `Next meeting`, `later`, `we'll see`.
    Defer,
    /// `I'll`, `I can`.
    Commit,
    /// `Can you`, `you should`, `please`.
    Request,
    /// `Send`, `prepare`, `find out`.
    Errand,
    /// `We decided`, `last time`, `they said`.
    Retell,
    /// `Haven't decided`, `not settled`.
    Unsettled,
    /// `If`, `whether`, `might`.
    Suppose,
    /// `Thanks`, `hello`, `lunch`, `let's start`.
    SmallTalk,
    /// `Must`, `has to be`, `it's important`.
    Require,
    /// `Agreed`, `approved`, `carried`: a decision in so many words.
    Decide,
    /// `Project manager`, `industrial designer`, `secretary`: someone by their part.
    Role,
    /// `Notes`, `minutes`, `report`, `presentation`: what is written or handed over.
    Paper,
    /// A sum, a count, a measure.
    Number,
    /// `I don't know`, `not sure`.
    Unsure,
    /// `Want`, `like`, `prefer`.
    Wish,
}

/// How many acts there are.
pub(crate) const ACTS: usize = 24;

/// The names of the acts, in their order.
pub(crate) const ACT_NAMES: [&str; ACTS] = [
    "hedge",
    "propose",
    "settle",
    "recap",
    "exclude",
    "negative-question",
    "agree",
    "assent",
    "refuse",
    "defer",
    "commit",
    "request",
    "errand",
    "retell",
    "unsettled",
    "suppose",
    "small-talk",
    "require",
    "decide",
    "role",
    "paper",
    "number",
    "unsure",
    "wish",
];

const HEDGE: &str = "i think|i guess|maybe|perhaps|probably|might|could|i d say|i would say|would be|should be|might be|could be|i suppose|\
    i mean|kind of|sort of|just|i would|i d|seems|possibly|i feel|in my opinion|i believe|i reckon";
const PROPOSE: &str = "let s|let us|we should|we could|how about|what about|why don't we|why not|shall we|should we|i propose|i suggest|i d suggest|\
    i would suggest|i would propose|i d go for|i would go for|we can|we might|you could|what if|do we want|i d prefer|i would prefer|i d like|\
    i would like|my proposal|i vote|we d better|we better|we ought|could we|can we|you can|we may|i recommend|i would recommend|we want|maybe we|\
    i move that|my suggestion|better to|it s better|would be better|would be good|would be nice|would be great|good idea|the idea|what we could do|\
    what we can do|should i|should it|do we need|are we going|are we gonna|we think|we thought|i m thinking|i was thinking|instead of|makes sense to";
const SETTLE: &str = "so we|so we ll|okay so|we ll|we will|we re going to|we re gonna|we are going to|we are gonna|go with|go for|going for|going with|\
    stick with|stick to|stay with|then we|we have|we ve got|we need|it will be|it s going to be|it s gonna be|it ll be|so it s|so that s|so it|\
    we re having|we re using|we use|we take|we keep|we do|we go|we make|we put|we leave|we skip|so the|then it s|that s it|we stick|definitely|for sure|\
    that s in|is in|goes in|stays|keep it|keep the|leave it|make it|put it|let s do|let s go with|let s say|let s keep|let s make|let s use|let s take|\
    we ll do|we ll use|we ll have|we ll make|we ll keep|we ll go|we ll take|we ll put|the answer is|the plan is|from now on|each|every|all right so";
const RECAP: &str = "so basically|basically|so we ve|so we have|to recap|recap|summarise|summarize|summary|to sum up|sum up|so far|in conclusion|conclusion|\
    we said|we ve said|as we said|just to|so just|so to|worked out|came up with|what we have|what we ve|the things we|main|overall|decided|we agreed|\
    consensus|agreed on|we ve agreed|we ve decided|everybody agrees|everyone agrees|is that what|you mean|so you|so i|so what|in that case";
const EXCLUDE: &str = "without|don't need|do not need|no need|not need|don't want|do not want|too expensive|too much|too many|too big|too complicated|\
    too difficult|too hard|too long|too small|leave out|left out|forget|skip|get rid of|drop|dropped|instead|rather than|no longer|not going to|\
    not gonna|won't|out|is out|goes out|not necessary|unnecessary|rule out|ruled out|scrap|rid of|no point|not worth|isn't worth|useless|\
    don't have to|shouldn't|can't afford|nobody|not really|outdated|old fashioned|only|just the|exclude|excluded|cut|off";
const NEGATIVE_QUESTION: &str = "don't you|isn't it|isn't that|isn't this|wouldn't|shouldn't we|can't we|don't we|aren't|aren't we|won't it|won't that|\
    didn't we|haven't we|doesn't it|doesn't that|couldn't we|do you think|what do you think|is that|is it|right|okay with|agree|everybody|everyone|\
    any objections|objections|any comments|happy with|fine with";
const AGREE: &str = "i agree|agreed|agree|sounds good|sounds great|good idea|great idea|nice idea|exactly|that s fine|fine|sure|perfect|absolutely|of course|\
    makes sense|i think so|that s true|true|that s right|good point|that s good|that s great|that s nice|definitely|i like|me too|no problem|works for me|\
    could do|we could do|we can do|why not|happy to|yes|cool|great|good|that s okay|that s a good|fair enough|that would be|it would be|excellent|\
    no objection|aye|in favour|can live with|certainly|indeed|that ll work|that works|that s it|i d say so|you re right|we do|we should|i would|okay good";
const ASSENT: &str =
    "yeah|yep|yes|okay|ok|right|alright|all right|sure|fine|kay|mm hmm|yup|ya|good|true|course|exactly|great|cool";
const REFUSE: &str = "no|nope|but|i don't think|i disagree|not sure|i don't know|i m not|why|however|we can't|i can't|you can't|it s not|that s not|not|never|\
    don't|doesn't|isn't|although|though|problem|difficult|the thing is|the problem|on the other hand|or|actually|yeah but|well|hard to|it depends|depends";
const DEFER: &str = "next meeting|next time|later|next phase|next week|come back|get back|we ll see|we ll have to see|think about|think about it|for now|\
    for the moment|not now|another time|in the next|afterwards|some other time|leave that|leave it|discuss that|discuss it|to be decided|future|\
    next step|look at that|look into|have to look|have to see|see if|see how|let s see|wait|until|talk about that|offline|tomorrow|eventually|postpone|\
    put off|table that|park|open question|after lunch|half an hour|thirty minutes|before the next|for the next";
const COMMIT: &str = "i ll|i will|i can|i m going to|i m gonna|i am going to|i have to|i need to|i ve to|i ve got to|i should|i shall|i could|let me|\
    i promise|i d be happy|i m happy to|i ll try|i will try|i would be happy|i ll do|i ll send|i ll make|i ll put|i ll get|i ll check|i ll look|\
    i ll find|i ll ask|i ll talk|i ll write|i ll have|we undertake|happy to write|leave it to me|on my list|my action|my task|my job|we ll write|we ll provide";
const REQUEST: &str = "can you|could you|would you|will you|you should|you ll|you will|please|you have to|you need to|you need|if you|you might|you could|you can|\
    i want you|i d like you|i would like you|your task|your job|you two|you guys|both of you|you re going to|you re gonna|you get|do you want to|\
    you wanna|you want to|make sure|don't forget|remember to|perhaps you|maybe you|somebody|someone|action|ask you|volunteer|each of you|all of you|\
    everybody|everyone|the three of you|i ask|may i ask|grateful if|we d be grateful|who|you have|you know what to do";
const ERRAND: &str = "send|email|mail|e-mail|write|write up|prepare|check|find out|look into|look up|look at|ask|call|contact|get in touch|arrange|organise|\
    organize|schedule|set up|book|finish|complete|draft|update|review|provide|share|follow up|get back to|report back|submit|circulate|bring|research|\
    compile|collect|record|implement|install|talk to|speak to|talk with|meet with|confirm|forward|upload|print|put together|work on|take care of|read|\
    investigate|document|test|try|fix|build|make|design|fill in|fill out|think about|come up with|type|create|transcribe|order|buy|ensure|raise|run|\
    copy|present|presentation|do the|work out|figure out|see if|individual|prototype|evaluation|evaluate|generate|pass on|note|a note|let you know|\
    let us know|let me know|put it|put them|put that|give me|give you|send it|send me|send you|questionnaire|analyse|compare|measure|experiment|experiments";
const RETELL: &str = "we decided|last time|last meeting|last week|yesterday|they said|was|were|used to|had|did|earlier|before|already|previous|previously|said|told|\
    went|ago|the decision was|happened|i was|we were|it was|they|he|she|there was|i did|we did|i had|saw|found|got|asked|thought";
const UNSETTLED: &str = "haven't decided|not decided|not yet decided|haven't * decided|haven't settled|not settled|haven't * settled|undecided|not agreed|\
    haven't agreed|to decide|need to decide|have to decide|decide on|decide whether|decide if|didn't decide|can't decide|not clear|unclear|\
    still open|open question|not yet|haven't|we don't know|should we|which one|what do we|how do we|do we have to|do we want|question|whether";
const SUPPOSE: &str = "if|whether|might|may|suppose|unless|imagine|assuming|would|could|hypothetically|for example|like|wonder|wondering|hope|depends|when";
const SMALL_TALK: &str = "thank|thanks|hello|hi|bye|lunch|coffee|tea|drink|beer|champagne|party|sorry|welcome|good morning|let s start|start|let s move on|\
    move on|move to|go on|let s go|ready|screen|slide|slides|cable|laptop|pen|microphone|camera|weekend|joke|funny|laugh|oops|let s see|let s hope|\
    let s have a look|let s look|my name|nice to|see you|favourite animal|animal|draw|drawing|cat|dog|next slide|turn|my turn|your turn|five minutes|\
    the floor|call on|question|questions|order|hon|mister|madam|speaker|good afternoon|good evening|cheers|clock|time";
const REQUIRE: &str = "must|has to|have to be|has to be|should have|important|it s important|required|requirement|requirements|necessary|needs to|need to|\
    supposed to|obligatory|the aim|target|goal|budget|price|cost|sell|allowed|rule|deadline|we need|we must|limit|maximum|at least|at most|mandatory|ensure";
const DECIDE: &str = "decided|we decided|agreed|we agreed|approved|is approved|accepted|carried|adopted|resolved|settled|the decision|decision|decisions|final|\
    finalise|finalize|consensus|motion|unanimous|unanimously|we chose|chosen|chose|choose|we pick|picked|selected|confirmed|vote|voted|consent|in favour|\
    majority|conclude|concluded|signed off|it is|rubber it is|passed|no objections|we opt|opted|deal|done|set|fixed|going with";
const ROLE: &str = "manager|project manager|designer|industrial designer|interface designer|user interface|industrial|marketing|marketing expert|expert|secretary|\
    chair|chairman|chairperson|treasurer|minister|officials|department|committee|clerk|professor|postdoc|student|students|team|group|management|supplier|\
    engineer|developer|lawyer|accountant|everyone|everybody|all of us|both|the two of you|who s";
const PAPER: &str = "notes|note|minutes|report|presentation|presentations|paper|slides|list|email|mail|document|documents|folder|file|files|form|forms|agenda|letter|\
    draft|summary|questionnaire|prototype|data|results|figures|plan|contract|survey|web page|page|table|whiteboard|website|program|code|script|information|\
    evidence|statistics|numbers|copy|specification|design|details|advice|guidance";
const NUMBER: &str = "one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|hundred|thousand|million|half|percent|euro|euros|\
    dollars|pounds|cents|points|first|second|third|once|twice|double|quarter";
const UNSURE: &str = "i don't know|i dunno|dunno|not sure|i m not sure|no idea|don't know|we don't know|who knows|hard to say|i wonder|can't remember|don't remember|\
    i forget|what was|what is|what s|how much|how many|how do|why|when is|where|which";
const WISH: &str = "want|wanted|like|prefer|would like|i d like|love|hope|rather|wish|nice|better|best|favour|attractive|cool|beautiful|great|easy|easier|simple|simpler|\
    cheap|cheaper|useful|enough|possible|good|interesting|fancy|special|original";

/// The phrases of each act, in the order of [`Act`].
static PHRASES: LazyLock<[Phrases<()>; ACTS]> = LazyLock::new(|| {
    [
        HEDGE,
        PROPOSE,
        SETTLE,
        RECAP,
        EXCLUDE,
        NEGATIVE_QUESTION,
        AGREE,
        ASSENT,
        REFUSE,
        DEFER,
        COMMIT,
        REQUEST,
        ERRAND,
        RETELL,
        UNSETTLED,
        SUPPOSE,
        SMALL_TALK,
        REQUIRE,
        DECIDE,
        ROLE,
        PAPER,
        NUMBER,
        UNSURE,
        WISH,
    ]
    .map(|list| {
        let phrases: Vec<(&'static str, ())> = list.split('|').map(|phrase| (phrase, ())).collect();
        Phrases::new(&phrases)
    })
});

/// How often the words do each act.
pub(crate) fn acts(words: &[&str]) -> [f64; ACTS] {
    std::array::from_fn(|act| PHRASES[act].find(words).len() as f64)
}

#[cfg(test)]
mod tests {
    use jackfield_text::words::tokens;

    use super::{ACT_NAMES, Act, acts};

    fn does(text: &str, act: Act) -> bool {
        let tokens = tokens(text);
        let words: Vec<&str> = tokens.iter().map(AsRef::as_ref).collect();
        acts(&words)[act as usize] > 0.0
    }

    #[test]
    fn phrases_tell_what_a_turn_does() {
        assert!(does("Maybe we could rent two vans.", Act::Hedge));
        assert!(does("How about a wooden lid?", Act::Propose));
        assert!(does("That's far too expensive.", Act::Exclude));
        assert!(does("I'll bring the ladder.", Act::Commit));
        assert!(does("We haven't really settled that.", Act::Unsettled));
        assert!(!does("The river is wide.", Act::Commit));
    }

    #[test]
    fn the_last_act_has_the_last_name() {
        assert_eq!(ACT_NAMES[Act::Wish as usize], "wish");
        assert_eq!(ACT_NAMES[Act::Hedge as usize], "hedge");
    }
}
