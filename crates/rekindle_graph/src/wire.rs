//! Messages between the server and a tab.
