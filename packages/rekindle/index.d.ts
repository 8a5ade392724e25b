/**
 * The types a program may want by name: what travels to a tab, what events carry, what `import.meta.glob` takes.
 * The server itself is not a Node program, so there is nothing here to import as a value.
 */
export type {
  BundledDevUpdatePayload,
  ConnectedPayload,
  CustomPayload,
  ErrorPayload,
  FullReloadPayload,
  HMRPayload,
  HotPayload,
  PingPayload,
  PrunePayload,
  Update,
  UpdatePayload,
} from './types/hmrPayload.js'
export type {
  CustomEventMap,
  CustomEventName,
  ForwardConsolePayload,
  InferCustomEventPayload,
  InvalidatePayload,
  WebSocketConnectionPayload,
} from './types/customEvent.js'
export type { ModuleNamespace, ViteHotContext } from './types/hot.js'
export type {
  GeneralImportGlobOptions,
  ImportGlobFunction,
  ImportGlobOptions,
  ImportGlobOptionsWithoutAs,
  KnownAsTypeMap,
} from './types/importGlob.js'
export type { AssetMetadata, ChunkMetadata, CustomPluginOptionsVite } from './types/metadata.js'
