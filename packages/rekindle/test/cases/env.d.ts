interface ImportMetaEnv {
  readonly VITE_TITLE: string
}
