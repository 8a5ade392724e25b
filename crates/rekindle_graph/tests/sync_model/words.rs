//! The steps of a way as sentences that a person can read.

use std::fmt::Write;

use crate::rules::Rules;
use crate::server::Save;
use crate::steps::Step;
use crate::world::{
    BEFORE, ClientMessage, Content, ENTRY, FAILED, LAZY, Load, MODULES, Manifest, NAMES, NOTHING, News, Phase, SHEET,
    Segment, ServerMessage, Standing, Tab, World,
};

impl Step {
    /// The step as a sentence, seen from the state before it.
    pub fn describe(self, before: &World, after: &World) -> String {
        let tab_of = |tab: u8| &before.tabs[usize::from(tab)];
        let name = |tab: u8| if tab == 0 { "tab 1" } else { "tab 2" };
        match self {
            Self::Save { module, save } => describe_save(module, save, after),
            Self::Stop { received: true } => "the server dies; tabs have received what it had sent".to_owned(),
            Self::Stop { received: false } => "the server dies".to_owned(),
            Self::Start => format!("the server starts anew: session {}", letter(after.server.session)),
            Self::Cut { tab, received } => {
                let kept = if received { "; it has received what was sent" } else { "" };
                format!("the socket of {} is cut{kept}", name(tab))
            }
            Self::Open { tab } | Self::LoadPageAnew { tab } => {
                let (session, seq) = after.tabs[usize::from(tab)].text;
                format!("{} gets the page's text as of {}", name(tab), number(session, seq))
            }
            Self::Import { tab } => format!("{} imports lazy.js", name(tab)),
            Self::ImportOnceMore { tab } => {
                format!("{} asks for lazy.js once more{}", name(tab), answered(tab_of(tab), before))
            }
            Self::FetchScript { tab } => match after.tabs[usize::from(tab)].phase {
                Phase::Failed => format!("{} cannot get the page's script", name(tab)),
                _ => {
                    format!("{} gets the page's script: {}", name(tab), manifest(&after.tabs[usize::from(tab)].script))
                }
            },
            Self::FetchSheet { tab } => {
                format!("{} fetches linked.css: {}", name(tab), content(after.tabs[usize::from(tab)].sheet))
            }
            Self::FetchSegment { tab, module, content } => {
                let module = usize::from(module);
                let got = after.tabs[usize::from(tab)].segments[module][usize::from(content) - 1];
                format!("{} fetches the segment of {} v{content}: {}", name(tab), NAMES[module], segment(got))
            }
            Self::Boot { tab } => match after.tabs[usize::from(tab)].phase {
                Phase::Failed => format!("the script of {} cannot run", name(tab)),
                _ => format!("{} boots: {}", name(tab), holdings(&after.tabs[usize::from(tab)])),
            },
            Self::Connect { tab } => {
                format!("{} opens a socket{}", name(tab), last_said(&after.tabs[usize::from(tab)]))
            }
            Self::ServerHears { tab } => {
                format!(
                    "the server hears {}: {}",
                    name(tab),
                    tab_of(tab).said.as_slice().first().map_or(String::new(), said)
                )
            }
            Self::TabHears { tab } => {
                let heard = tab_of(tab).told.as_slice().first().map_or(String::new(), told);
                format!("{} hears {heard} → {}", name(tab), holdings(&after.tabs[usize::from(tab)]))
            }
            Self::Ask { tab } => format!("{} asks for what it lacks{}", name(tab), answered(tab_of(tab), before)),
            Self::TakeLoad { tab, load } => match &tab_of(tab).loads[usize::from(load)] {
                Load::Answered { manifest: answer, .. } => {
                    let held = holdings(&after.tabs[usize::from(tab)]);
                    format!("{} takes the load in: {} → {held}", name(tab), manifest(answer))
                }
                _ => String::new(),
            },
        }
    }
}

fn describe_save(module: u8, save: Save, after: &World) -> String {
    let what = match save {
        Save::Good(content) => format!("saved with v{content}"),
        Save::Broken => "saved with a mistake".to_owned(),
        Save::Gone => "deleted".to_owned(),
    };
    let batch = if after.server.is_up {
        format!(": batch {}", number(after.server.session, after.server.seq))
    } else {
        " while the server is down".to_owned()
    };
    format!("{} is {what}{batch}", NAMES[usize::from(module)])
}

fn letter(session: u8) -> char {
    char::from(b'A' + session)
}

fn number(session: u8, seq: i8) -> String {
    format!("{}:{seq}", letter(session))
}

fn content(content: Content) -> String {
    match content {
        NOTHING => "nothing".to_owned(),
        FAILED => "not loaded".to_owned(),
        version => format!("v{version}"),
    }
}

fn by_value(is_by_value: bool) -> &'static str {
    if is_by_value { " by value" } else { "" }
}

fn answered(before: &Tab, world: &World) -> String {
    let mut server = world.server;
    let reach = 1 << ENTRY | if before.lacking() == 1 << ENTRY { 0 } else { 1 << LAZY };
    if server.is_up {
        format!("{}; the answer: {}", by_value(before.by_value), manifest(&server.manifest(reach, &Rules::PROTOCOL)))
    } else {
        "; the server is down".to_owned()
    }
}

fn segment(segment: Segment) -> String {
    match segment {
        Segment::Unknown => "nothing".to_owned(),
        Segment::Exact | Segment::Forgotten => "as its address says".to_owned(),
        Segment::Outgrown { session, seq, definition } => {
            format!("outgrown, {} as of {}", content(definition), number(session, seq))
        }
        Segment::Failed => "refused".to_owned(),
    }
}

fn manifest(manifest: &Manifest) -> String {
    let mut text = format!("as of {}", number(manifest.session, manifest.seq));
    for module in (0..SHEET).filter(|module| manifest.reach & (1 << module) != 0) {
        let how = standing(manifest.standings[module]);
        let _ = write!(text, ", {} {}{how}", NAMES[module], content(manifest.segments[module]));
    }
    text
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Fine => "",
        Standing::Broken => " broken",
        Standing::Gone => " gone",
    }
}

fn news(news: &[News; MODULES]) -> String {
    let mut text = String::new();
    for (news, name) in news.iter().zip(NAMES) {
        if let Some((definition, at)) = news.definition {
            let _ = write!(text, ", {name} {} at {at}", content(definition));
        }
        if let Some((how, at)) = news.standing {
            let how = if how == Standing::Fine { " fine" } else { standing(how) };
            let _ = write!(text, ", {name}{how} at {at}");
        }
    }
    text
}

fn told(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Compare => "compare".to_owned(),
        ServerMessage::Welcome { session, seq } => format!("welcome {}", number(*session, *seq)),
        ServerMessage::Batch { session, since: Some(since), seq, news: what } => {
            format!("batch {} since {since}{}", number(*session, *seq), news(what))
        }
        ServerMessage::Batch { session, since: None, seq, news: what } => {
            format!("comparison {}{}", number(*session, *seq), news(what))
        }
    }
}

fn said(message: &ClientMessage) -> String {
    match message {
        ClientMessage::Hello { session: Some(session), seq } => format!("hello {}", number(*session, *seq)),
        ClientMessage::Hello { session: None, .. } => "hello of no session".to_owned(),
        ClientMessage::Versions { versions, is_last } => {
            let held = versions.iter().zip(NAMES).filter_map(|(version, name)| {
                version.map(|(definition, how)| format!(" {name} {}{}", content(definition), standing(how)))
            });
            format!("versions{}{}", held.collect::<String>(), if *is_last { ", the last part" } else { "" })
        }
    }
}

fn last_said(tab: &Tab) -> String {
    tab.said.as_slice().last().map_or(String::new(), |message| format!(", says {}", said(message)))
}

fn holdings(tab: &Tab) -> String {
    let mut text = match tab.session {
        Some(session) => format!("is at {}", number(session, tab.seq)),
        None => "is in no session".to_owned(),
    };
    for (module, holding) in tab.holdings.iter().enumerate().take(SHEET) {
        if holding.definition != NOTHING || holding.standing_at != BEFORE {
            let what = content(holding.definition);
            let _ =
                write!(text, ", {} {what}{} at {}", NAMES[module], standing(holding.standing), holding.definition_at);
        }
    }
    text
}
