//! The protocol of `docs/internals/sync.md`, explored to the end on a small model.
//!
//! ```text
//! saves, cuts, stops (a few) ─┐
//! server ◄─ sockets ─► tabs ──┼─► every order of every step ─► all quiet? then each tab is as one that is opened now
//! requests on their way ──────┘                                never quiet? then the two sides talk for ever
//! ```
//!
//! `holds` looks at all states of a size and panics with the shortest way to a fault, in words. `finds` puts another rule in
//! the place of one of the protocol's (`rules.rs`) and wants that way: it shows what each rule is for, and that the search sees.
//! `cargo test --release -p rekindle_graph --test sync_model -- --nocapture` prints the ways.
//!
//! **What is modelled.** Sessions; numbers of batches; for each module its last good definition and its standing, each with its
//! number; saves with new, earlier and equal content, mistakes and their ends, deletions and returns, also while the server is
//! down; sockets in order, whose messages vanish when they end, or were received and are not handled yet; sockets that are open
//! before their page begins, and are sent batches; `hello`, `welcome`, `batch`, `compare`, `versions` in parts, comparisons, and
//! no batch until they are made; a page load in steps (text, script, each segment, a linked sheet), each as of its own time;
//! answers of `/load` that overlap, come late, or from another session; segments by content address, asked once in each tab, kept
//! by the browser, answered with newer content, or refused after a restart; loads by value.
//!
//! **What is not.** What a tab does with what it holds (`apply.ts` has its own tests); several modules in one segment (each module
//! has its own); env and the page's text, which travel like the linked sheet, but exactly; events of the `custom` kind; workers;
//! a reload that the page cancels, after which a tab says `hello` though an answer may be awaited; a page whose script is of another
//! session than its text, which is loaded anew here and compared there.
//! That the server has compiled what it is asked about; that it tells of a change in one batch, with what the file says then. A
//! request is answered in the step that asks, since nothing on either side depends on when it left.

mod rules;
mod search;
mod server;
mod steps;
mod tab;
mod words;
mod world;

use std::io::Write;

use rules::Rules;
use search::{Size, explore};
use server::Save;
use steps::Saves;
use world::{Budget, ENTRY, LAZY, SHEET};

const ALL: &[Save] = &[Save::Good(1), Save::Good(2), Save::Broken, Save::Gone];
const GOOD: &[Save] = &[Save::Good(1), Save::Good(2)];
const WITHOUT_SECOND: &[Save] = &[Save::Good(1), Save::Broken, Save::Gone];

/// One tab, and the module that comes with the page.
const ENTRY_ONLY: Size = Size {
    tabs: 1,
    has_sheet: false,
    has_lazy: false,
    saves: Saves { modules: &[ENTRY], kinds: ALL },
    budget: Budget { saves: 2, cuts: 1, stops: 0, loads: 0 },
    minds_gaps: true,
};
const RESTART: Size = Size { budget: Budget { saves: 2, cuts: 1, stops: 1, loads: 0 }, ..ENTRY_ONLY };
const THREE_SAVES: Size = Size { budget: Budget { saves: 3, cuts: 2, stops: 0, loads: 0 }, ..ENTRY_ONLY };
const TWO_TABS: Size = Size { tabs: 2, ..ENTRY_ONLY };
const SHEET_ONLY: Size = Size {
    has_sheet: true,
    saves: Saves { modules: &[SHEET], kinds: GOOD },
    budget: Budget { saves: 2, cuts: 1, stops: 1, loads: 0 },
    ..ENTRY_ONLY
};
/// A second module that comes by `import()`, perhaps by several answers at once.
const WITH_LAZY: Size = Size {
    has_lazy: true,
    saves: Saves { modules: &[ENTRY, LAZY], kinds: ALL },
    budget: Budget { saves: 2, cuts: 0, stops: 0, loads: 1 },
    ..ENTRY_ONLY
};
const LAZY_RESTART: Size = Size { budget: Budget { saves: 2, cuts: 0, stops: 1, loads: 0 }, ..WITH_LAZY };

const fn budget(saves: u8, cuts: u8, stops: u8, loads: u8) -> Budget {
    Budget { saves, cuts, stops, loads }
}

/// No fault in any state of these sizes.
fn holds(rules: &Rules, sizes: &[Size]) {
    for &size in sizes {
        let findings = explore(size, rules);
        let Budget { saves, cuts, stops, loads } = size.budget;
        // Past what the test harness keeps to itself: CI shows how much was looked at.
        let _ = writeln!(
            std::io::stderr(),
            "sync model: {} states; at most: tabs {}, saves {saves}, cuts {cuts}, restarts {stops}, loads that overlap {loads}",
            findings.states,
            size.tabs
        );
        if let Some(fault) = findings.fault {
            panic!("the protocol loses something:\n{fault}");
        }
    }
}

/// With these rules there is a fault, and it is said to be `what`.
fn finds(rules: &Rules, size: Size, what: &str) {
    let findings = explore(size, rules);
    let fault = findings.fault.expect("another rule in its place makes no fault: is this rule needed?");
    println!("{fault}");
    assert!(fault.lines().last().is_some_and(|line| line.contains(what)), "another fault than `{what}`:\n{fault}");
}

const PROTOCOL: Rules = Rules::PROTOCOL;

// ---- the protocol

#[test]
fn nothing_is_lost_by_saves_and_cuts() {
    holds(&PROTOCOL, &[THREE_SAVES, Size { budget: budget(4, 1, 0, 0), ..ENTRY_ONLY }]);
}

#[test]
fn nothing_is_lost_by_a_restart() {
    holds(&PROTOCOL, &[Size { budget: budget(3, 1, 1, 0), ..RESTART }]);
}

#[test]
fn nothing_is_lost_by_two_restarts() {
    holds(&PROTOCOL, &[Size { budget: budget(2, 1, 2, 0), ..RESTART }]);
}

#[test]
fn nothing_is_lost_of_two_tabs() {
    holds(
        &PROTOCOL,
        &[Size { budget: budget(2, 1, 0, 0), ..TWO_TABS }, Size { budget: budget(1, 1, 1, 0), ..TWO_TABS }],
    );
}

#[test]
fn nothing_is_lost_of_two_tabs_around_a_restart() {
    let saves = Saves { modules: &[ENTRY], kinds: GOOD };
    holds(
        &PROTOCOL,
        &[
            Size { budget: budget(2, 1, 1, 0), saves, ..TWO_TABS },
            Size { budget: budget(3, 1, 0, 0), saves, ..TWO_TABS },
        ],
    );
}

#[test]
fn nothing_is_lost_by_loads_that_overlap() {
    holds(&PROTOCOL, &[Size { budget: budget(2, 1, 0, 1), ..WITH_LAZY }]);
}

#[test]
fn nothing_is_lost_by_loads_around_a_restart() {
    let saves = Saves { modules: &[ENTRY, LAZY], kinds: GOOD };
    holds(
        &PROTOCOL,
        &[
            Size { budget: budget(2, 1, 1, 0), ..LAZY_RESTART },
            Size { budget: budget(2, 0, 1, 1), saves, ..LAZY_RESTART },
            Size { budget: budget(3, 0, 1, 0), saves, ..LAZY_RESTART },
        ],
    );
}

#[test]
fn nothing_is_lost_of_a_linked_sheet() {
    let saves = Saves { modules: &[ENTRY, SHEET], kinds: GOOD };
    holds(&PROTOCOL, &[Size { budget: budget(3, 2, 2, 0), ..SHEET_ONLY }, Size { saves, ..SHEET_ONLY }]);
}

#[test]
fn definitions_of_a_segment_may_be_forgotten_once_they_were_taken() {
    let rules = Rules { segments_are_kept: false, ..PROTOCOL };
    holds(&rules, &[Size { budget: budget(2, 1, 0, 1), ..WITH_LAZY }, LAZY_RESTART]);
}

#[test]
fn nothing_is_lost_if_only_tabs_that_said_hello_are_sent_batches() {
    let rules = Rules { silent_sockets_hear: false, ..PROTOCOL };
    let saves = Saves { modules: &[ENTRY], kinds: GOOD };
    let two_tabs = Size { budget: budget(3, 2, 0, 0), saves, ..TWO_TABS };
    holds(&rules, &[THREE_SAVES, Size { budget: budget(3, 1, 1, 0), ..RESTART }, LAZY_RESTART, SHEET_ONLY, two_tabs]);
}

#[test]
fn nothing_is_lost_if_tabs_are_sent_batches_while_they_are_compared() {
    let rules = Rules { compared_tabs_wait: false, ..PROTOCOL };
    holds(&rules, &[Size { budget: budget(3, 1, 1, 0), ..RESTART }, LAZY_RESTART, SHEET_ONLY]);
}

// ---- the rules of before (the letters are those of the defects they led to)

#[test]
fn the_rules_of_before_lose_updates() {
    finds(&Rules::BEFORE, ENTRY_ONLY, "all is quiet, and tab 1 holds entry.js");
}

#[test]
fn a1_a_tab_that_counts_batches_asks_for_ever() {
    finds(&Rules { batches_say_since: false, ..PROTOCOL }, ENTRY_ONLY, "this goes on for ever");
}

#[test]
fn a3_a_batch_before_hello_hides_those_before_it() {
    let size = Size { minds_gaps: false, ..ENTRY_ONLY };
    finds(&Rules { only_script_begins: false, ..PROTOCOL }, size, "v1 where the server has v2");
}

#[test]
fn a3_a_segment_overwrites_the_newer_definition_of_a_batch() {
    let rules = Rules { only_script_begins: false, newer_definition_wins: false, ..PROTOCOL };
    finds(&rules, Size { minds_gaps: false, ..ENTRY_ONLY }, "v1 where the server has v2");
}

#[test]
fn a4_the_higher_number_of_an_earlier_session_hides_batches() {
    finds(&Rules { seq_ends_with_session: false, ..PROTOCOL }, RESTART, "where the server has");
}

#[test]
fn a5_a_module_that_broke_meanwhile_keeps_its_good_version_back() {
    finds(&Rules { broken_modules_keep_definition: false, ..PROTOCOL }, ENTRY_ONLY, "v1 where the server has v2");
}

// ---- taking in

#[test]
fn a_late_answer_overwrites_a_newer_definition() {
    finds(&Rules { newer_definition_wins: false, ..PROTOCOL }, THREE_SAVES, "v1 where the server has v2");
}

#[test]
fn a_late_answer_brings_an_error_back() {
    finds(&Rules { newer_standing_wins: false, ..PROTOCOL }, ENTRY_ONLY, "where the server has");
}

#[test]
fn a_batch_that_begins_later_hides_those_before_it() {
    let size = Size { minds_gaps: false, ..ENTRY_ONLY };
    finds(&Rules { gap_keeps_seq: false, ..PROTOCOL }, size, "where the server has");
}

#[test]
fn an_equal_definition_keeps_its_old_number_and_is_overwritten() {
    finds(&Rules { equal_content_raises_number: false, ..PROTOCOL }, THREE_SAVES, "where the server has");
}

#[test]
fn a_deletion_without_number_is_undone_by_a_late_answer() {
    finds(&Rules { deletion_has_number: false, ..PROTOCOL }, THREE_SAVES, "v1 where the server has v0");
}

#[test]
fn a_segment_that_outgrew_its_address_passes_for_what_a_later_manifest_means() {
    finds(&Rules { outgrown_segment_has_number: false, ..PROTOCOL }, WITH_LAZY, "where the server has");
}

#[test]
fn a_kept_segment_that_outgrew_its_address_starts_a_page_with_it() {
    finds(&Rules { outgrown_segment_is_not_kept: false, ..PROTOCOL }, RESTART, "v2 where the server has v1");
}

#[test]
fn what_outgrown_segments_lack_is_asked_for_for_ever() {
    finds(&Rules { lacking_is_asked_by_value: false, ..PROTOCOL }, ENTRY_ONLY, "this goes on for ever");
}

#[test]
fn an_address_that_is_forgotten_is_refused_to_a_page_that_loads() {
    finds(&Rules { addresses_stay_known: false, ..PROTOCOL }, WITH_LAZY, "is refused something");
}

// ---- the page's start

#[test]
fn a_sheet_that_is_older_than_the_script_stays_old() {
    finds(&Rules { seq_starts_at_text: false, ..PROTOCOL }, SHEET_ONLY, "shows linked.css");
}

#[test]
fn the_text_of_one_session_takes_its_number_into_another() {
    finds(&Rules { text_has_session: false, ..PROTOCOL }, SHEET_ONLY, "shows linked.css");
}

#[test]
fn a_page_without_script_waits_for_ever() {
    finds(&Rules { page_without_script_is_loaded_anew: false, ..PROTOCOL }, RESTART, "has not started");
}

// ---- sockets

#[test]
fn a_socket_without_hello_brings_nothing() {
    finds(&Rules { hello_on_every_socket: false, ..PROTOCOL }, ENTRY_ONLY, "where the server has");
}

#[test]
fn comparisons_of_two_sockets_cross_each_other() {
    let saves = Saves { modules: &[ENTRY], kinds: WITHOUT_SECOND };
    let size = Size { budget: budget(3, 1, 1, 0), saves, minds_gaps: false, ..RESTART };
    // The second `compare` is answered with digests after a second `hello` has told the server that it needs none.
    finds(&Rules { new_socket_ends_old_one: false, ..PROTOCOL }, size, "waits for an answer that never comes");
}

// ---- restarts

#[test]
fn an_answer_of_another_session_passes_for_one_of_this() {
    finds(&Rules { foreign_carriers_bring_nothing: false, ..PROTOCOL }, RESTART, "where it is");
}

#[test]
fn numbers_of_an_earlier_session_beat_the_comparison() {
    finds(&Rules { numbers_end_with_session: false, ..PROTOCOL }, RESTART, "where it is");
}

#[test]
fn an_answer_of_the_old_session_comes_after_the_digests_were_said() {
    finds(&Rules { compare_ends_session: false, ..PROTOCOL }, LAZY_RESTART, "where");
}

#[test]
fn a_batch_takes_a_tab_into_a_session_that_it_was_not_compared_with() {
    finds(&Rules { only_comparison_enters_session: false, ..PROTOCOL }, RESTART, "v1 where the server has v2");
}

#[test]
fn an_answer_of_before_the_comparison_overwrites_what_was_found_equal() {
    finds(&Rules { carriers_before_comparison_bring_nothing: false, ..PROTOCOL }, LAZY_RESTART, "where");
}

#[test]
fn a_comparison_in_parts_misses_a_save_between_them() {
    finds(&Rules { comparison_is_of_one_moment: false, ..PROTOCOL }, LAZY_RESTART, "where");
}

#[test]
fn a_comparison_without_the_gone_leaves_them_running() {
    finds(&Rules { comparison_names_gone: false, ..PROTOCOL }, RESTART, "where");
}

#[test]
fn a_tab_that_is_left_out_once_it_was_compared_misses_the_saves_afterwards() {
    finds(&Rules { compared_tabs_listen: false, ..PROTOCOL }, RESTART, "where the server has");
}

#[test]
fn a_sheet_is_not_what_its_page_was_told_of() {
    finds(&Rules { comparison_brings_sheets: false, ..PROTOCOL }, SHEET_ONLY, "shows linked.css");
}

#[test]
fn a_load_that_another_session_answered_is_never_asked_for_again() {
    finds(&Rules { dropped_load_is_asked_again: false, ..PROTOCOL }, LAZY_RESTART, "holds lazy.js v0");
}

#[test]
fn a_load_that_fails_is_asked_for_without_end() {
    finds(&Rules { dropped_load_waits_for_hello: false, ..PROTOCOL }, RESTART, "this goes on for ever");
}
