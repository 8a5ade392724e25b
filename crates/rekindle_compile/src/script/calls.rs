//! Recognises the calls that mean something to the compiler: `import.meta.hot.accept`, `import.meta.glob`,
//! `new URL('…', import.meta.url)`, `import()` of a template.

use oxc_ast::ast::*;
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, Span};
use rekindle_graph::GlobCall;

use crate::kind;

/// What a call of `import.meta.hot.accept` says about dependencies.
pub(crate) enum AcceptCall {
    /// Not such a call, or one without dependencies.
    Other,
    Deps(Vec<(String, Span)>),
    /// A dependency that is no literal, so it cannot be resolved before the module runs.
    NotLiteral(Span),
}

/// Classifies `import.meta.hot.accept(…)` in every spelling of the member chain. Through another name of
/// `import.meta.hot` nothing is seen here; the tab then resolves the path when the call runs.
pub(crate) fn accept_call(call: &CallExpression) -> AcceptCall {
    if !is_hot_member(&call.callee, "accept") {
        return AcceptCall::Other;
    }
    let Some(first) = call.arguments.first() else { return AcceptCall::Other };
    match first {
        Argument::ArrayExpression(list) => {
            let mut deps = Vec::new();
            for element in &list.elements {
                match element.as_expression().and_then(|element| Some((constant_string(element)?, element.span()))) {
                    Some(dep) => deps.push(dep),
                    None => return AcceptCall::NotLiteral(element.span()),
                }
            }
            AcceptCall::Deps(deps)
        }
        Argument::SpreadElement(spread) => AcceptCall::NotLiteral(spread.span),
        other => {
            let Some(expression) = other.as_expression() else { return AcceptCall::Other };
            match constant_string(expression) {
                Some(specifier) => AcceptCall::Deps(vec![(specifier, expression.span())]),
                None if call.arguments.len() > 1 && may_be_a_path(expression) => {
                    AcceptCall::NotLiteral(expression.span())
                }
                None => AcceptCall::Other,
            }
        }
    }
}

/// Neither a function nor one of the falsy values that mean the module itself.
fn may_be_a_path(expression: &Expression) -> bool {
    match expression {
        Expression::ArrowFunctionExpression(_)
        | Expression::FunctionExpression(_)
        | Expression::NullLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::NumericLiteral(_) => false,
        Expression::Identifier(identifier) => identifier.name != "undefined",
        _ => true,
    }
}

fn is_hot_member(callee: &Expression, method: &str) -> bool {
    let Some(member) = static_member(callee) else { return false };
    member.property.name == method && static_member(&member.object).is_some_and(is_import_meta_hot)
}

fn is_import_meta_hot(member: &StaticMemberExpression) -> bool {
    member.property.name == "hot" && matches!(member.object.get_inner_expression(), Expression::ImportMeta(_))
}

fn static_member<'b, 'a>(expression: &'b Expression<'a>) -> Option<&'b StaticMemberExpression<'a>> {
    match expression.get_inner_expression() {
        Expression::StaticMemberExpression(member) => Some(member),
        Expression::ChainExpression(chain) => match &chain.expression {
            ChainElement::StaticMemberExpression(member) => Some(member),
            _ => None,
        },
        _ => None,
    }
}

/// `X` of `import.meta.env.X`.
pub(crate) fn env_key<'b>(member: &'b StaticMemberExpression) -> Option<&'b str> {
    let env = static_member(&member.object)?;
    let is_env = env.property.name == "env" && matches!(env.object.get_inner_expression(), Expression::ImportMeta(_));
    is_env.then(|| member.property.name.as_str())
}

/// The text of a string literal or of a template without holes.
pub(crate) fn constant_string(expression: &Expression) -> Option<String> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(literal) => Some(literal.value.to_string()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            Some(template.quasis.first()?.value.cooked.as_ref()?.to_string())
        }
        _ => None,
    }
}

/// `'./x'` of `new URL('./x', import.meta.url)`, when `URL` is the global and the path is a relative one, or one from the root
/// that names a file.
pub(crate) fn asset_url(new: &NewExpression, scoping: &Scoping) -> Option<(String, Span)> {
    let path = own_url_path(new, scoping)?;
    let specifier = constant_string(path)?;
    let names_a_file = || specifier.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let is_from_root = specifier.starts_with('/') && !specifier.starts_with("//") && names_a_file();
    let is_path =
        specifier.starts_with("./") || specifier.starts_with("../") || !is_absolute(&specifier) || is_from_root;
    is_path.then(|| (specifier, path.span()))
}

/// ``new URL(`./pics/${name}.png`, import.meta.url)``: the files whose address it may be, as a glob of addresses.
pub(crate) fn asset_urls(new: &NewExpression, scoping: &Scoping) -> Option<GlobCall> {
    let glob = glob_of_template(own_url_path(new, scoping)?)?;
    // What follows the path stays in the address; only the path says which file.
    Some(GlobCall { eager: true, query: kind::URL.to_owned(), ..glob })
}

/// `path` of `new URL(path, import.meta.url)`, when `URL` is the global.
fn own_url_path<'b, 'a>(new: &'b NewExpression<'a>, scoping: &Scoping) -> Option<&'b Expression<'a>> {
    let [first, second] = new.arguments.as_slice() else { return None };
    let base = static_member(second.as_expression()?)?;
    let is_own_url =
        base.property.name == "url" && matches!(base.object.get_inner_expression(), Expression::ImportMeta(_));
    (is_own_url && is_global(&new.callee, &["URL"], scoping)).then(|| first.as_expression())?
}

fn is_global(callee: &Expression, names: &[&str], scoping: &Scoping) -> bool {
    let Expression::Identifier(callee) = callee else { return false };
    names.contains(&callee.name.as_str())
        && callee.reference_id.get().is_some_and(|id| scoping.get_reference(id).symbol_id().is_none())
}

/// `'./w.ts'` of `new Worker(new URL('./w.ts', import.meta.url), …)`, and of `SharedWorker`.
pub(crate) fn worker_url(new: &NewExpression, scoping: &Scoping) -> Option<(String, Span)> {
    if !is_global(&new.callee, &["Worker", "SharedWorker"], scoping) {
        return None;
    }
    let Expression::NewExpression(url) = new.arguments.first()?.as_expression()?.get_inner_expression() else {
        return None;
    };
    let path = own_url_path(url, scoping)?;
    let specifier = constant_string(path)?;
    let is_path = !specifier.starts_with("//") && !specifier.is_empty() && !specifier.contains(':');
    is_path.then(|| (specifier, path.span()))
}

fn is_absolute(specifier: &str) -> bool {
    specifier.starts_with('/') || specifier.starts_with('#') || specifier.is_empty() || specifier.contains(':')
}

/// Value of `type` in `with { type: 'json' }`.
pub(crate) fn type_attribute(with: &WithClause) -> Option<String> {
    let is_type = |key: &ImportAttributeKey| match key {
        ImportAttributeKey::Identifier(name) => name.name == "type",
        ImportAttributeKey::StringLiteral(name) => name.value == "type",
    };
    with.with_entries.iter().find(|entry| is_type(&entry.key)).map(|entry| entry.value.value.to_string())
}

/// Value of `type` in the second argument of `import(path, { with: { type: 'json' } })`.
pub(crate) fn type_attribute_of_options(options: &Expression) -> Option<String> {
    constant_string(property(property(options, "with")?, "type")?)
}

fn property<'b, 'a>(object: &'b Expression<'a>, name: &str) -> Option<&'b Expression<'a>> {
    let Expression::ObjectExpression(object) = object.get_inner_expression() else { return None };
    object.properties.iter().find_map(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) if property.key.is_specific_static_name(name) => {
            Some(&property.value)
        }
        _ => None,
    })
}

// ---- import.meta.glob

pub(crate) struct GlobArguments {
    pub glob: GlobCall,
    /// The one export wanted of each match.
    pub import: Option<String>,
}

pub(crate) fn is_glob(call: &CallExpression) -> bool {
    static_member(&call.callee).is_some_and(|member| {
        member.property.name == "glob" && matches!(member.object.get_inner_expression(), Expression::ImportMeta(_))
    })
}

/// Reads the literals of `import.meta.glob(patterns, options)`; an error is its message and where.
pub(crate) fn glob_arguments(call: &CallExpression) -> Option<Result<GlobArguments, (String, Span)>> {
    is_glob(call).then(|| {
        let first = call.arguments.first().and_then(Argument::as_expression);
        let patterns = patterns(first, call.span)?;
        let mut glob = GlobCall {
            patterns,
            eager: false,
            query: String::new(),
            base: None,
            exhaustive: false,
            case_sensitive: true,
            of_import: false,
            span: (call.span.start, call.span.end),
        };
        let import = match call.arguments.get(1).and_then(Argument::as_expression) {
            Some(options) => read_glob_options(options, &mut glob)?,
            None => None,
        };
        Ok(GlobArguments { glob, import })
    })
}

fn patterns(argument: Option<&Expression>, call: Span) -> Result<Vec<String>, (String, Span)> {
    let message = || "import.meta.glob() takes a string literal or an array of string literals".to_owned();
    let Some(argument) = argument else { return Err((message(), call)) };
    if let Some(pattern) = constant_string(argument) {
        return Ok(vec![pattern]);
    }
    let Expression::ArrayExpression(list) = argument.get_inner_expression() else {
        return Err((message(), argument.span()));
    };
    list.elements
        .iter()
        .map(|element| element.as_expression().and_then(constant_string).ok_or_else(|| (message(), element.span())))
        .collect()
}

fn read_glob_options(options: &Expression, glob: &mut GlobCall) -> Result<Option<String>, (String, Span)> {
    let Expression::ObjectExpression(object) = options.get_inner_expression() else {
        return Err(("the options of import.meta.glob() must be an object literal".into(), options.span()));
    };
    let mut import = None;
    for property in &object.properties {
        let ObjectPropertyKind::ObjectProperty(property) = property else {
            return Err(("the options of import.meta.glob() cannot be spread".into(), property.span()));
        };
        let value = &property.value;
        let name = property.key.static_name().unwrap_or_default();
        let literal = || (format!("the option `{name}` of import.meta.glob() must be a literal"), value.span());
        match &*name {
            "eager" => glob.eager = constant_bool(value).ok_or_else(literal)?,
            "exhaustive" => glob.exhaustive = constant_bool(value).ok_or_else(literal)?,
            "caseSensitive" => glob.case_sensitive = constant_bool(value).ok_or_else(literal)?,
            "import" => import = Some(constant_string(value).ok_or_else(literal)?).filter(|name| name != "*"),
            "base" => glob.base = Some(constant_string(value).ok_or_else(literal)?),
            "query" => glob.query = query_text(value).ok_or_else(literal)?,
            "as" => {
                let name = constant_string(value).ok_or_else(literal)?;
                glob.query = kind::without_mark(&name).to_owned();
                if matches!(name.as_str(), kind::RAW | kind::URL) {
                    import.get_or_insert_with(|| "default".to_owned());
                }
            }
            _ => return Err((format!("import.meta.glob() has no option `{name}`"), property.span)),
        }
    }
    Ok(import)
}

fn constant_bool(value: &Expression) -> Option<bool> {
    match value.get_inner_expression() {
        Expression::BooleanLiteral(literal) => Some(literal.value),
        _ => None,
    }
}

/// `'?raw'`, `'raw'` or `{ raw: true, w: 2 }` as a query without its question mark.
fn query_text(value: &Expression) -> Option<String> {
    if let Some(text) = constant_string(value) {
        return Some(kind::without_mark(&text).to_owned());
    }
    let Expression::ObjectExpression(object) = value.get_inner_expression() else { return None };
    let mut parts = Vec::new();
    for property in &object.properties {
        let ObjectPropertyKind::ObjectProperty(property) = property else { return None };
        let name = property.key.static_name()?;
        match property.value.get_inner_expression() {
            Expression::StringLiteral(text) if text.value.is_empty() => parts.push(name.into_owned()),
            Expression::StringLiteral(text) => parts.push(format!("{name}={}", text.value)),
            Expression::NumericLiteral(number) => parts.push(format!("{name}={}", number.value)),
            Expression::BooleanLiteral(flag) if flag.value => parts.push(name.into_owned()),
            Expression::BooleanLiteral(_) => parts.push(format!("{name}=false")),
            _ => return None,
        }
    }
    Some(kind::without_mark(&parts.join("&")).to_owned())
}

/// `` import(`./pages/${name}.js`) ``, and `import('./pages/' + name + '.js')` → the pattern `./pages/*.js`. Each hole stands
/// for one path segment or a part of it; the path must begin with a relative or root path or an alias, and its last segment
/// must hold a dot.
pub(crate) fn glob_of_template(source: &Expression) -> Option<GlobCall> {
    let texts = texts_between_holes(source)?;
    let (first, last) = (texts.first()?.as_str(), texts.last()?.as_str());
    // What begins with a name and a slash may be an alias.
    let named = first.find('/').is_some_and(|slash| slash > 0 && !first.contains(':'));
    let rooted = first.starts_with("./") || first.starts_with("../") || first.starts_with('/') || named;
    let (last, query) = kind::split_query(last);
    let query = kind::without_mark(query.unwrap_or_default()).to_owned();
    let last = last.split_once('#').map_or(last, |(path, _)| path);
    if texts.len() < 2 || !rooted || texts.iter().any(|text| text.contains('*')) {
        return None;
    }
    let mut pattern = String::new();
    for (at, text) in texts.iter().enumerate() {
        pattern.push_str(if at + 1 == texts.len() { last } else { text });
        if at + 1 < texts.len() && !pattern.ends_with('*') {
            pattern.push('*');
        }
    }
    if !pattern.rsplit('/').next()?.contains('.') {
        return None;
    }
    let span = source.span();
    Some(GlobCall {
        patterns: vec![pattern],
        eager: false,
        query,
        base: None,
        exhaustive: false,
        case_sensitive: true,
        of_import: true,
        span: (span.start, span.end),
    })
}

/// What is known of a path, before, between and after the parts that are not.
fn texts_between_holes(source: &Expression) -> Option<Vec<String>> {
    match source.get_inner_expression() {
        Expression::StringLiteral(text) => Some(vec![text.value.to_string()]),
        Expression::TemplateLiteral(template) => {
            template.quasis.iter().map(|quasi| quasi.value.cooked.as_ref().map(|text| text.to_string())).collect()
        }
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            let mut texts = texts_between_holes(&sum.left)?;
            let right = texts_between_holes(&sum.right)?;
            let end = texts.last_mut()?;
            end.push_str(right.first()?);
            texts.extend(right.into_iter().skip(1));
            Some(texts)
        }
        _ => Some(vec![String::new(), String::new()]),
    }
}
