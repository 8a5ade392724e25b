import type { CustomEventMap, ErrorPayload, HMRPayload, HotPayload, ImportGlobFunction, ImportGlobOptions, InferCustomEventPayload, Update, ViteHotContext } from 'vite'
import type { ImportGlobFunction as Glob, KnownAsTypeMap } from 'vite/types/importGlob.d.ts'
import type { AssetMetadata } from 'vite/types/metadata.d.ts'
import type { ModuleNamespace } from 'vite/types/hot'
import type { CustomEventMap as SameMap } from 'vite/types/customEvent'

const hot: ViteHotContext | undefined = import.meta.hot
const glob: Glob = import.meta.glob satisfies ImportGlobFunction
const same: HMRPayload extends HotPayload ? true : false = true
const line: SameMap['chat:line'] = { from: '', text: '' } satisfies CustomEventMap['chat:line']
const raw: KnownAsTypeMap['raw'] = ''
const options: ImportGlobOptions<true, string, '?raw'> = { eager: true, query: '?raw' }
declare const some: { a: AssetMetadata; e: ErrorPayload; u: Update; m: ModuleNamespace; i: InferCustomEventPayload<'vite:error'> }
const list: Set<string> = some.a.importedCss
void [hot, glob, same, line, raw, options, list, some.e === some.i, some.u.path, some.m.anything]

// @ts-expect-error both paths lead to the same interface, so `text` is missing
const wrong: SameMap['chat:line'] = { from: '' }
void wrong
