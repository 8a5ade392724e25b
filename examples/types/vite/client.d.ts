// Lets the examples say `"types": ["vite/client"]`, as a project does, with nothing installed.
/// <reference path="../../../packages/rekindle/client.d.ts" />
