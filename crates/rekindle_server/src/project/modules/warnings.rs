//! What the user is told once: modules of Node in packages, and what is odd about pages.

use std::collections::BTreeSet;

use rekindle_compile::page::contents::PageContents;
use rekindle_compile::resolve::packages::package_name;
use rekindle_graph::Diagnostic;

use super::Modules;
use crate::report::News;

impl Modules {
    /// Tells of the modules of Node that were imported since the last call, each once for a package: in a page they are empty.
    pub fn tell_of_node(&mut self) {
        let met = std::mem::take(&mut self.of_node);
        let package = |importer: &str| match importer.rsplit_once("/node_modules/") {
            Some((_, inside)) => package_name(inside),
            None => importer.to_owned(),
        };
        for (name, importer) in met {
            if self.told_of_node.insert((name.clone(), package(&importer))) {
                self.report.tell(News::NodeModule { name, importer });
            }
        }
    }

    /// Takes over what the user is to be told of a page: `%NAME%`s that nothing stands for, and what nobody fills in.
    pub fn note_page(&mut self, page: &str, contents: &PageContents) {
        let sentences = contents.warnings(page, &|name| self.env.misses(name), &self.missing_plugins);
        let sentences: BTreeSet<String> = sentences.into_iter().collect();
        self.page_warnings.retain(|(of, sentence), _| of != page || sentences.contains(sentence));
        for sentence in sentences {
            self.page_warnings.entry((page.to_owned(), sentence)).or_insert(false);
        }
    }

    /// Which scripts of a page are not there.
    pub fn note_missing_scripts(&mut self, page: &str, missing: Vec<Diagnostic>) {
        self.missing_scripts.entry(page.to_owned()).or_default().now = missing;
    }

    /// Says so in the terminal, where that is news.
    pub fn tell_missing_scripts(&mut self) {
        for (page, missing) in self.missing_scripts.iter_mut().filter(|(_, missing)| missing.now != missing.told) {
            if missing.now.is_empty() {
                self.report.tell(News::Fixed { files: vec![page.clone()] });
            } else {
                self.report.tell(News::Failed { errors: missing.now.clone() });
            }
            missing.told = missing.now.clone();
        }
    }

    /// The sentences that the user was not told.
    pub fn take_page_warnings(&mut self) -> Vec<String> {
        let untold = self.page_warnings.iter_mut().filter(|(_, told)| !**told);
        untold
            .map(|((_, sentence), told)| {
                *told = true;
                sentence.clone()
            })
            .collect()
    }
}
