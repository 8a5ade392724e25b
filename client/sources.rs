// The sources of the browser's runtime, each with its name and after those that it needs; whatever holds nothing but types is left
// out. `client_script.rs` joins them into one script, up to `core/runtime.ts` they are part of each script that stands alone
// (`standalone.rs`), and the compiler's tests run them.
[
    ("core/definition.ts", include_str!("src/core/definition.ts")),
    ("core/instance.ts", include_str!("src/core/instance.ts")),
    ("core/graph.ts", include_str!("src/core/graph.ts")),
    ("core/link.ts", include_str!("src/core/link.ts")),
    ("core/commonjs.ts", include_str!("src/core/commonjs.ts")),
    ("core/evaluate.ts", include_str!("src/core/evaluate.ts")),
    ("core/registry.ts", include_str!("src/core/registry.ts")),
    ("core/runtime.ts", include_str!("src/core/runtime.ts")),
    ("core/hot.ts", include_str!("src/core/hot.ts")),
    ("core/refresh.ts", include_str!("src/core/refresh.ts")),
    ("core/react-refresh.ts", include_str!("src/core/react-refresh.ts")),
    ("core/propagate.ts", include_str!("src/core/propagate.ts")),
    ("core/imports.ts", include_str!("src/core/imports.ts")),
    ("core/apply.ts", include_str!("src/core/apply.ts")),
    ("core/replica.ts", include_str!("src/core/replica.ts")),
    ("page/stacks.ts", include_str!("src/page/stacks.ts")),
    ("page/overlay.ts", include_str!("src/page/overlay.ts")),
    ("page/styles.ts", include_str!("src/page/styles.ts")),
    ("page/rescue.ts", include_str!("src/page/rescue.ts")),
    ("page/socket.ts", include_str!("src/page/socket.ts")),
    ("worker/workers.ts", include_str!("src/worker/workers.ts")),
    ("worker/worker-scope.ts", include_str!("src/worker/worker-scope.ts")),
    ("page/document.ts", include_str!("src/page/document.ts")),
    ("client.ts", include_str!("src/client.ts")),
]
