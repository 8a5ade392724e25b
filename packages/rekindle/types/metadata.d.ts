/** What a build notes about its output, for tools that read it. */

export interface AssetMetadata {
  importedAssets: Set<string>
  importedCss: Set<string>
}

export interface ChunkMetadata {
  importedAssets: Set<string>
  importedCss: Set<string>
  /** @internal */
  __modules: any
}

export interface CustomPluginOptionsVite {
  /**
   * Ties a style sheet to an export of the module that imports it: if the export is unused, the build leaves the sheet out. The
   * importer's id, and the export's name.
   */
  cssScopeTo?: readonly [importerId: string, exportName: string | undefined]
  /** @deprecated has no effect */
  lang?: string
}

// No augmentation of the bundler's own types: that needs the bundler's package installed, and rekindle does not bring it.
