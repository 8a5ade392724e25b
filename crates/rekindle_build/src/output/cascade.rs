//! In which order the sheets of several chunks stand on a page: that of the imports, as in development.
//!
//! ```text
//! page: import './a.css', './shared' (imports s.css), './b.css'     another page: import './shared'
//! chunks: page (a.css, b.css), shared (s.css)
//! sheets: page-1.css (a), shared-1.css (s), page-2.css (b)          in this order on the page
//! ```
//!
//! A chunk has one sheet unless, somewhere, those of others belong between its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rolldown_common::OutputChunk;
use rustc_hash::FxHashMap;

use crate::bundle::order::{Modules, already_there, evaluation, loaded};

/// Place of a piece: of which chunk, and which of its pieces.
type Place = (usize, usize);

/// Modules with sheets, by chunk and in pieces.
pub(crate) struct Cascade<'c> {
    pieces: Vec<Vec<Vec<&'c str>>>,
    /// For each chunk the chunks that it needs, and the pieces of their sheets.
    loaded: Vec<Vec<&'c str>>,
    needed: Vec<Vec<Place>>,
    /// Every module with a sheet, entries first.
    all: Vec<&'c str>,
}

impl<'c> Cascade<'c> {
    /// `modules.counts` says which modules have sheets.
    pub fn of(chunks: &'c [Arc<OutputChunk>], modules: &Modules<'c>) -> Self {
        let by_name: BTreeMap<&str, &OutputChunk> =
            chunks.iter().map(|chunk| (chunk.filename.as_str(), &**chunk)).collect();
        let numbers: BTreeMap<&str, usize> =
            chunks.iter().enumerate().map(|(at, chunk)| (chunk.filename.as_str(), at)).collect();
        let lists: Vec<Vec<&str>> = chunks
            .iter()
            .map(|chunk| chunk.modules.keys.iter().map(|id| id.as_str()).filter(|id| (modules.counts)(id)).collect())
            .collect();
        let holders: FxHashMap<&str, Place> = lists
            .iter()
            .enumerate()
            .flat_map(|(chunk, list)| list.iter().enumerate().map(move |(at, id)| (*id, (chunk, at))))
            .collect();

        let places: Vec<Option<FxHashMap<&str, usize>>> = chunks
            .iter()
            .map(|chunk| {
                let is_root = chunk.is_entry || chunk.is_dynamic_entry;
                let root = chunk.facade_module_id.as_ref().filter(|_| is_root && !holders.is_empty())?;
                Some(evaluation(modules.imports, root.as_str()))
            })
            .collect();
        let order_of = |places: &FxHashMap<&'c str, usize>| {
            let mut order: Vec<(usize, &str)> = holders.keys().filter_map(|id| Some((*places.get(id)?, *id))).collect();
            order.sort_unstable();
            order.into_iter().map(|(_, id)| id)
        };

        let mut cuts: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); chunks.len()];
        let mut all: Vec<&str> = Vec::new();
        let entries_first = [true, false];
        for (chunk, places) in entries_first
            .iter()
            .flat_map(|first| chunks.iter().zip(&places).filter(move |(chunk, _)| chunk.is_entry == *first))
        {
            let Some(places) = places else { continue };
            let there = if chunk.is_entry { BTreeSet::new() } else { already_there(&by_name, chunk) };
            let fresh = |id: &&str| !there.contains(chunks[holders[*id].0].filename.as_str());
            all.extend(order_of(places));
            cut(order_of(places).filter(fresh).map(|id| holders[id]), &mut cuts);
        }
        all.extend(lists.iter().flatten());
        let mut seen = BTreeSet::new();
        all.retain(|id| seen.insert(*id));

        let pieces: Vec<Vec<Vec<&str>>> = lists.iter().zip(&cuts).map(|(list, cuts)| in_pieces(list, cuts)).collect();
        let loaded: Vec<Vec<&str>> = chunks.iter().map(|chunk| loaded(&by_name, &chunk.filename)).collect();
        let needed = loaded
            .iter()
            .zip(&places)
            .map(|(loaded, places)| {
                let chunks = loaded.iter().map(|name| numbers[name]);
                let needed = chunks.flat_map(|chunk| (0..pieces[chunk].len()).map(move |piece| (chunk, piece)));
                in_order(needed, |(chunk, piece)| {
                    let ids = pieces[chunk][piece].iter();
                    ids.filter_map(|id| places.as_ref()?.get(id).copied()).min()
                })
            })
            .collect();
        Self { pieces, loaded, needed, all }
    }

    /// The pieces of each chunk: ids of modules.
    pub fn pieces(&self) -> &[Vec<Vec<&'c str>>] {
        &self.pieces
    }

    /// The chunks that a chunk needs, itself the last, in the order in which they run.
    pub fn scripts(&self, chunk: usize) -> Vec<String> {
        self.loaded[chunk].iter().map(|name| (*name).to_owned()).collect()
    }

    /// The pieces that a chunk needs, in their order.
    pub fn needed(&self, chunk: usize) -> &[Place] {
        &self.needed[chunk]
    }

    /// Modules with sheets in the order of the imports, those of the first page first.
    pub fn all(&self) -> Vec<&'c str> {
        self.all.clone()
    }
}

/// Notes where the list of a chunk has to be cut, so that its modules can stand as in `order`: numbers of the modules that
/// begin a piece.
fn cut(order: impl Iterator<Item = Place>, cuts: &mut [BTreeSet<usize>]) {
    let mut last: Option<Place> = None;
    let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
    for (chunk, at) in order {
        if let Some(&before) = reached.get(&chunk) {
            if at < before {
                // The other way round than in the chunk: each goes where this page wants it.
                cuts[chunk].extend(at..=before + 1);
            } else if last.is_none_or(|last| last.0 != chunk) {
                cuts[chunk].insert(at);
            }
        }
        reached.insert(chunk, at);
        last = Some((chunk, at));
    }
}

fn in_pieces<'c>(list: &[&'c str], cuts: &BTreeSet<usize>) -> Vec<Vec<&'c str>> {
    let mut pieces: Vec<Vec<&str>> = Vec::new();
    for (at, id) in list.iter().enumerate() {
        match pieces.last_mut() {
            Some(piece) if !cuts.contains(&at) => piece.push(id),
            _ => pieces.push(vec![id]),
        }
    }
    pieces
}

/// Sorted by place; what has none stays behind what it was behind.
fn in_order(pieces: impl Iterator<Item = Place>, place: impl Fn(Place) -> Option<usize>) -> Vec<Place> {
    let mut last = 0;
    let mut keyed: Vec<(usize, Place)> = pieces
        .map(|piece| {
            last = place(piece).unwrap_or(last);
            (last, piece)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, piece)| piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where two chunks, of three modules and of one, are cut for pages with these orders.
    fn cuts(orders: &[&[Place]]) -> Vec<Vec<usize>> {
        let mut cuts = vec![BTreeSet::new(); 2];
        for order in orders {
            cut(order.iter().copied(), &mut cuts);
        }
        cuts.into_iter().map(|cuts| cuts.into_iter().collect()).collect()
    }

    #[test]
    fn a_chunk_is_cut_where_another_one_comes_between() {
        assert!(cuts(&[&[(0, 0), (0, 1), (0, 2), (1, 0)]]).concat().is_empty());
        assert!(cuts(&[&[(1, 0), (0, 0), (0, 1), (0, 2)]]).concat().is_empty());
        assert_eq!(cuts(&[&[(0, 0), (1, 0), (0, 1), (0, 2)]]), [vec![1], vec![]]);
        assert_eq!(cuts(&[&[(0, 0), (1, 0), (0, 1)], &[(0, 0), (0, 1), (1, 0), (0, 2)]]), [vec![1, 2], vec![]]);
    }

    #[test]
    fn pages_that_want_opposite_orders_get_each_their_own() {
        assert_eq!(cuts(&[&[(0, 0), (0, 1), (0, 2)], &[(0, 1), (0, 0), (0, 2)]])[0], [0, 1, 2]);
        assert_eq!(in_pieces(&["a", "b", "c"], &BTreeSet::from([0, 1, 2])), [["a"], ["b"], ["c"]]);
    }

    #[test]
    fn what_has_no_place_stays_behind_its_neighbour() {
        let pieces = [(0, 0), (0, 1), (1, 0)];
        let place =
            |piece: Place| [((0, 0), 5), ((1, 0), 2)].iter().find(|(it, _)| *it == piece).map(|(_, place)| *place);
        assert_eq!(in_order(pieces.into_iter(), place), [(1, 0), (0, 0), (0, 1)]);
    }
}
