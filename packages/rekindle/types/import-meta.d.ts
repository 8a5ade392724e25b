// The name to use in `/// <reference types="…/types/import-meta" />`: TypeScript does not find `importMeta` that way
// (microsoft/TypeScript#45096).
/// <reference path="./importMeta.d.ts" />
