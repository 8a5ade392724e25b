//! The rules of the protocol, each with a switch: off is the rule of before, or a mistake that is easily made.

/// One switch for each rule. All of them are on in the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A batch says since which number it tells; off: a tab counts, and asks anew whenever it is told of more than one step.
    pub batches_say_since: bool,
    /// Batches go to every open socket, also to one that has not said `hello`; off: only to those that have. Both hold.
    pub silent_sockets_hear: bool,
    /// A batch that comes before the page's script has run is left alone; off: the first one starts the replica.
    pub only_script_begins: bool,
    /// `seq` stays where it is at a batch that begins later; off: it rises to that of every batch.
    pub gap_keeps_seq: bool,
    /// A definition is taken only if its number is higher; off: what comes last wins.
    pub newer_definition_wins: bool,
    /// A standing is taken only if its number is higher; off: what comes last wins.
    pub newer_standing_wins: bool,
    /// Equal content with a higher number raises the number.
    pub equal_content_raises_number: bool,
    /// A deletion leaves its number behind; off: it only removes.
    pub deletion_has_number: bool,
    /// `seq` ends with its session; off: a tab keeps the higher one of both sessions.
    pub seq_ends_with_session: bool,
    /// The numbers of what is held end with their session, too.
    pub numbers_end_with_session: bool,
    /// The answer to `hello` has the last good definition of a broken module.
    pub broken_modules_keep_definition: bool,
    /// The replica starts at the number of the page's text; off: at that of its script.
    pub seq_starts_at_text: bool,
    /// A script of one session under the text of another loads the page anew; off: it takes the text's number for its own.
    pub text_has_session: bool,
    /// A carrier of another session brings nothing.
    pub foreign_carriers_bring_nothing: bool,
    /// A tab leaves its session when it is asked to compare; off: when the comparison comes.
    pub compare_ends_session: bool,
    /// Only the comparison brings a tab into a session; off: any batch does.
    pub only_comparison_enters_session: bool,
    /// A carrier of before the comparison brings nothing.
    pub carriers_before_comparison_bring_nothing: bool,
    /// A comparison tells of all that is said at one moment; off: of each part at the moment it came.
    pub comparison_is_of_one_moment: bool,
    /// A comparison names the modules that are gone.
    pub comparison_names_gone: bool,
    /// What a tab has of linked sheets is unknown, so that a comparison brings all of them; off: the digest it was told of.
    pub comparison_brings_sheets: bool,
    /// A segment that outgrew its address says its own number; off: it has that of the manifest that names it.
    pub outgrown_segment_has_number: bool,
    /// The definitions of a segment are kept for the next manifest that names it; off: they are forgotten once taken. Both hold.
    pub segments_are_kept: bool,
    /// A segment that outgrew its address is not kept by the browser.
    pub outgrown_segment_is_not_kept: bool,
    /// The server answers all addresses it has given away; off: only the newest of each segment.
    pub addresses_stay_known: bool,
    /// A load that came to nothing is asked for again.
    pub dropped_load_is_asked_again: bool,
    /// It is asked for again once `hello` was answered; off: at once.
    pub dropped_load_waits_for_hello: bool,
    /// What the segments of a load lack is asked for by value.
    pub lacking_is_asked_by_value: bool,
    /// A page whose script could not be had is loaded anew.
    pub page_without_script_is_loaded_anew: bool,
    /// What an earlier socket brought and what is still to be handled is dropped when a new one opens.
    pub new_socket_ends_old_one: bool,
    /// A tab that was asked to compare is sent no batch until it is answered; off: every one from its `hello` on. Both hold.
    pub compared_tabs_wait: bool,
    /// A tab that was compared is sent every batch from then on, as all others are; off: none, until it says `hello` again.
    pub compared_tabs_listen: bool,
    /// A tab says `hello` whenever its socket opens.
    pub hello_on_every_socket: bool,
}

impl Rules {
    pub const PROTOCOL: Self = Self {
        batches_say_since: true,
        silent_sockets_hear: true,
        only_script_begins: true,
        gap_keeps_seq: true,
        newer_definition_wins: true,
        newer_standing_wins: true,
        equal_content_raises_number: true,
        deletion_has_number: true,
        seq_ends_with_session: true,
        numbers_end_with_session: true,
        broken_modules_keep_definition: true,
        seq_starts_at_text: true,
        text_has_session: true,
        foreign_carriers_bring_nothing: true,
        compare_ends_session: true,
        only_comparison_enters_session: true,
        carriers_before_comparison_bring_nothing: true,
        comparison_is_of_one_moment: true,
        comparison_names_gone: true,
        comparison_brings_sheets: true,
        outgrown_segment_has_number: true,
        segments_are_kept: true,
        outgrown_segment_is_not_kept: true,
        addresses_stay_known: true,
        dropped_load_is_asked_again: true,
        dropped_load_waits_for_hello: true,
        lacking_is_asked_by_value: true,
        page_without_script_is_loaded_anew: true,
        new_socket_ends_old_one: true,
        compared_tabs_wait: true,
        compared_tabs_listen: true,
        hello_on_every_socket: true,
    };

    /// Those of commit 44722c6, as far as the model has them.
    pub const BEFORE: Self = Self {
        silent_sockets_hear: true,
        comparison_is_of_one_moment: true,
        segments_are_kept: true,
        outgrown_segment_is_not_kept: true,
        compared_tabs_listen: true,
        hello_on_every_socket: true,
        ..Self::NONE
    };

    const NONE: Self = Self {
        batches_say_since: false,
        silent_sockets_hear: false,
        only_script_begins: false,
        gap_keeps_seq: false,
        newer_definition_wins: false,
        newer_standing_wins: false,
        equal_content_raises_number: false,
        deletion_has_number: false,
        seq_ends_with_session: false,
        numbers_end_with_session: false,
        broken_modules_keep_definition: false,
        seq_starts_at_text: false,
        text_has_session: false,
        foreign_carriers_bring_nothing: false,
        compare_ends_session: false,
        only_comparison_enters_session: false,
        carriers_before_comparison_bring_nothing: false,
        comparison_is_of_one_moment: false,
        comparison_names_gone: false,
        comparison_brings_sheets: false,
        outgrown_segment_has_number: false,
        segments_are_kept: false,
        outgrown_segment_is_not_kept: false,
        addresses_stay_known: false,
        dropped_load_is_asked_again: false,
        dropped_load_waits_for_hello: false,
        lacking_is_asked_by_value: false,
        page_without_script_is_loaded_anew: false,
        new_socket_ends_old_one: false,
        compared_tabs_wait: false,
        compared_tabs_listen: false,
        hello_on_every_socket: false,
    };
}
