//! Splits a module in two: the second gets some exports and what only they need, the first keeps the rest.
//!
//! The first still exports everything. What it lacks it calls through a table of its own, which the second fills
//! when it is instantiated; all that both use, the second imports from the first. Whoever calls too early hits an
//! empty place of the table, which traps.

use std::collections::{HashMap, HashSet};

use walrus::ir::Value;
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, FunctionKind,
    GlobalKind, ImportKind, ImportedFunction, Module, RefType, TableId, passes,
};

/// What the second module calls the first.
const FIRST: &str = "first";

pub(crate) struct Split {
    pub(crate) first: Vec<u8>,
    pub(crate) second: Vec<u8>,
}

/// An export that the second module brings.
struct Later {
    name: String,
    /// The place of its function among those of the unsplit module.
    function: usize,
}

/// Splits a module: the second part gets the exports that fit a pattern. A `*` at the end of one stands for any rest of
/// a name, and `class_*` also for what frees the class. The shared table has the name `table`: if it differs from build to
/// build, parts of two builds do not fit together.
pub(crate) fn split(wasm: &[u8], patterns: &[&str], table: &str) -> Result<Split, String> {
    let parse = || Module::from_buffer(wasm).map_err(|error| format!("{error:#}"));
    let mut first = parse()?;
    let is_of_none = |pattern: &&&str| {
        !first
            .exports
            .iter()
            .any(|export| fits(&export.name, pattern))
    };
    if let Some(pattern) = patterns.iter().find(is_of_none) {
        return Err(format!("the module has no export {pattern}"));
    }
    let later: Vec<Later> = first
        .exports
        .iter()
        .filter_map(|export| later(export, patterns))
        .collect();
    let needed = needed(parse()?, &later);
    // The compiler may have merged the function of an export with another that the first part needs.
    let later: Vec<Later> = later
        .into_iter()
        .filter(|later| !needed.contains(&later.function))
        .collect();

    let mut second = parse()?;
    fill(&mut second, &later, &needed, table);
    passes::gc::run(&mut second);
    stand_in(&mut first, &later, table)?;
    export_shared(&mut first, &second);
    passes::gc::run(&mut first);
    Ok(Split {
        first: first.emit_wasm(),
        second: second.emit_wasm(),
    })
}

fn later(export: &walrus::Export, patterns: &[&str]) -> Option<Later> {
    match export.item {
        ExportItem::Function(function)
            if patterns.iter().any(|pattern| fits(&export.name, pattern)) =>
        {
            Some(Later {
                name: export.name.clone(),
                function: function.index(),
            })
        }
        _ => None,
    }
}

fn fits(name: &str, pattern: &str) -> bool {
    let Some(start) = pattern.strip_suffix('*') else {
        return name == pattern;
    };
    name.starts_with(start) || name == format!("__wbg_{start}free")
}

/// The functions that the first part needs: those of its exports, and all that stand in tables.
fn needed(mut module: Module, later: &[Later]) -> HashSet<usize> {
    for later in later {
        // Names of exports are unique, and this one was just found.
        let _ = module.exports.remove(&later.name);
    }
    passes::gc::run(&mut module);
    module
        .funcs
        .iter()
        .map(|function| function.id().index())
        .collect()
}

/// Makes the second part of the whole: it imports what it shares with the first, and fills the table.
fn fill(module: &mut Module, later: &[Later], needed: &HashSet<usize>, table: &str) {
    module.start = None;
    for id in ids(module.exports.iter().map(walrus::Export::id)) {
        module.exports.delete(id);
    }
    for id in ids(module.data.iter().map(walrus::Data::id)) {
        module.data.delete(id);
    }
    for id in ids(module.elements.iter().map(walrus::Element::id)) {
        module.elements.delete(id);
    }
    for memory in ids(module.memories.iter().map(walrus::Memory::id)) {
        let name = name_of("m", memory.index());
        let import = module.imports.add(FIRST, &name, memory);
        let memory = module.memories.get_mut(memory);
        memory.import = Some(import);
        memory.data_segments.clear();
    }
    for global in ids(module.globals.iter().map(walrus::Global::id)) {
        let name = name_of("g", global.index());
        let import = module.imports.add(FIRST, &name, global);
        module.globals.get_mut(global).kind = GlobalKind::Import(import);
    }
    for shared in ids(module.tables.iter().map(walrus::Table::id)) {
        let name = name_of("t", shared.index());
        let import = module.imports.add(FIRST, &name, shared);
        let shared = module.tables.get_mut(shared);
        shared.import = Some(import);
        shared.elem_segments.clear();
    }
    for import in ids(module.imports.iter().map(walrus::Import::id)) {
        let import = module.imports.get_mut(import);
        if let ImportKind::Function(function) = import.kind {
            import.module = FIRST.to_owned();
            import.name = name_of("f", function.index());
        }
    }
    for function in ids(module.funcs.iter_local().map(|(function, _)| function)) {
        if needed.contains(&function.index()) {
            let name = name_of("f", function.index());
            let import = module.imports.add(FIRST, &name, function);
            let function = module.funcs.get_mut(function);
            let ty = function.ty();
            function.kind = FunctionKind::Import(ImportedFunction { import, ty });
        }
    }
    let places = later.len() as u64;
    let (table, _) =
        module.add_import_table(FIRST, table, false, places, Some(places), RefType::FUNCREF);
    let functions: HashMap<usize, FunctionId> = module
        .funcs
        .iter()
        .map(|function| (function.id().index(), function.id()))
        .collect();
    let functions = later
        .iter()
        .filter_map(|later| functions.get(&later.function).copied());
    let items = ElementItems::Functions(functions.collect());
    let offset = ConstExpr::Value(Value::I32(0));
    let filled = module
        .elements
        .add(ElementKind::Active { table, offset }, items);
    module.tables.get_mut(table).elem_segments.insert(filled);
}

/// Puts calls through the table in the place of what the first part does not have.
fn stand_in(module: &mut Module, later: &[Later], table: &str) -> Result<(), String> {
    let places = later.len() as u64;
    let filled = module
        .tables
        .add_local(false, places, Some(places), RefType::FUNCREF);
    module.exports.add(table, filled);
    for (place, later) in (0..).zip(later) {
        let function = module
            .exports
            .get_func(&later.name)
            .map_err(|error| error.to_string())?;
        let stub = stub(module, function, filled, place);
        let exports = module.exports.iter_mut();
        for export in exports.filter(|export| export.name == later.name) {
            export.item = ExportItem::Function(stub);
        }
    }
    Ok(())
}

/// A function that calls the one at a place of a table, which has the type of `function`.
fn stub(module: &mut Module, function: FunctionId, table: TableId, place: i32) -> FunctionId {
    let ty = module.funcs.get(function).ty();
    let (params, results) = module.types.params_results(ty);
    let (params, results) = (params.to_vec(), results.to_vec());
    let params_of: Vec<_> = params
        .iter()
        .map(|param| module.locals.add(*param))
        .collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    let mut body = builder.func_body();
    for param in &params_of {
        body.local_get(*param);
    }
    body.i32_const(place).call_indirect(ty, table);
    builder.finish(params_of, &mut module.funcs)
}

/// Exports from the first part what the second one imports.
fn export_shared(module: &mut Module, second: &Module) {
    let functions = module
        .funcs
        .iter()
        .map(|item| (name_of("f", item.id().index()), item.id().into()));
    let tables = module
        .tables
        .iter()
        .map(|item| (name_of("t", item.id().index()), item.id().into()));
    let globals = module
        .globals
        .iter()
        .map(|item| (name_of("g", item.id().index()), item.id().into()));
    let memories = module
        .memories
        .iter()
        .map(|item| (name_of("m", item.id().index()), item.id().into()));
    let all: HashMap<String, ExportItem> = functions
        .chain(tables)
        .chain(globals)
        .chain(memories)
        .collect();
    for import in second.imports.iter() {
        if let Some(item) = all.get(&import.name) {
            module.exports.add(&import.name, *item);
        }
    }
}

/// The name by which both parts know an item.
fn name_of(kind: &str, index: usize) -> String {
    format!("{kind}{index:x}")
}

fn ids<T>(ids: impl Iterator<Item = T>) -> Vec<T> {
    ids.collect()
}
