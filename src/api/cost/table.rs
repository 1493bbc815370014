//! What each field of the schema weighs, read once from the schema's text.

use std::collections::HashMap;

use async_graphql::{
    Value,
    parser::{
        self, parse_schema,
        types::{BaseType, FieldDefinition, OperationType, Type, TypeDefinition, TypeKind, TypeSystemDefinition},
    },
};

use super::{ASSUMED_ITEMS, DEFAULT_PAGE};

/// How a field is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Scalars, enums, money and page info: nothing, whatever is selected below.
    Nothing,
    /// The count of a whole connection.
    TotalCount,
    /// Objects of a type: each costs `own` and its selections, as often as the list is long.
    Objects {
        of: String,
        own: u64,
        times: u64,
        counted_by: Option<String>,
    },
    /// A connection of a type with the page that holds without `first` and `last`.
    Connection { of: String, page: u64 },
    /// The edges or nodes of a connection: counted by its page.
    Items { of: String, own: u64 },
    /// A field of the mutation type, whatever it answers with.
    Mutation { of: String },
    /// `__schema` or `__type`.
    Introspection { of: String },
}

/// The weights of a schema. Built once at the start of the process.
#[derive(Clone, Debug)]
pub struct CostTable {
    fields: HashMap<String, HashMap<String, Weight>>,
    pub(super) query: String,
    pub(super) mutation: String,
    pub(super) subscription: String,
}

impl CostTable {
    /// Reads the text of a schema, as `Schema::sdl` prints it.
    ///
    /// # Errors
    /// Those of the parser, where the text is not a schema.
    pub fn from_sdl(sdl: &str) -> Result<Self, parser::Error> {
        let document = parse_schema(sdl)?;
        let mut roots = ["Query", "Mutation", "Subscription"].map(str::to_owned);
        let mut types = Vec::new();
        let mut directives = 0;
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let named = [&schema.node.query, &schema.node.mutation, &schema.node.subscription];
                    for (root, name) in roots.iter_mut().zip(named) {
                        if let Some(name) = name {
                            *root = name.node.to_string();
                        }
                    }
                }
                TypeSystemDefinition::Type(definition) => types.push(&definition.node),
                TypeSystemDefinition::Directive(_) => directives += 1,
            }
        }
        let composite: HashMap<&str, bool> = types
            .iter()
            .map(|kind| (kind.name.node.as_str(), is_composite(&kind.kind)))
            .collect();
        let mut fields: HashMap<String, HashMap<String, Weight>> = HashMap::new();
        for definition in &types {
            let owner = definition.name.node.as_str();
            let mutations = owner == roots[1];
            for field in fields_of(definition) {
                let weight = match weight(owner, field, &composite) {
                    _ if mutations => Weight::Mutation {
                        of: base(&field.ty.node).0.to_owned(),
                    },
                    weight => weight,
                };
                fields
                    .entry(owner.to_owned())
                    .or_default()
                    .insert(field.name.node.to_string(), weight);
            }
        }
        fields.extend(introspection(&types, directives));
        let [query, mutation, subscription] = roots;
        let root = fields.entry(query.clone()).or_default();
        root.insert(
            "__schema".to_owned(),
            Weight::Introspection {
                of: "__Schema".to_owned(),
            },
        );
        root.insert(
            "__type".to_owned(),
            Weight::Introspection {
                of: "__Type".to_owned(),
            },
        );
        Ok(Self {
            fields,
            query,
            mutation,
            subscription,
        })
    }

    /// Whether an operation of this type has this root field.
    pub(in crate::api) fn has_root(&self, kind: OperationType, field: &str) -> bool {
        let root = match kind {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        };
        self.fields.get(root).is_some_and(|fields| fields.contains_key(field))
    }

    pub(super) fn weight(&self, owner: &str, field: &str) -> Option<&Weight> {
        self.fields.get(owner)?.get(field)
    }
}

fn is_composite(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
}

fn fields_of<'s>(definition: &&'s TypeDefinition) -> impl Iterator<Item = &'s FieldDefinition> {
    let fields = match &definition.kind {
        TypeKind::Object(object) => object.fields.as_slice(),
        TypeKind::Interface(interface) => interface.fields.as_slice(),
        _ => &[],
    };
    fields.iter().map(|field| &field.node)
}

fn weight(owner: &str, field: &FieldDefinition, composite: &HashMap<&str, bool>) -> Weight {
    let (of, lists) = base(&field.ty.node);
    let in_connection = owner.ends_with("Connection");
    if in_connection && field.name.node == "totalCount" {
        return Weight::TotalCount;
    }
    if matches!(of, "Money" | "PageInfo") || !composite.get(of).is_some_and(|composite| *composite) {
        return Weight::Nothing;
    }
    let of = of.to_owned();
    if in_connection && lists > 0 && matches!(field.name.node.as_str(), "edges" | "nodes") {
        let own = u64::from(field.name.node == "nodes");
        return Weight::Items { of, own };
    }
    if lists == 0 && of.ends_with("Connection") {
        return Weight::Connection {
            of,
            page: default_page(field),
        };
    }
    let description = field.description.as_ref().map_or("", |text| text.node.as_str());
    let items = at_most(description).map_or(ASSUMED_ITEMS, |most| most.min(ASSUMED_ITEMS));
    let counted_by = (lists > 0).then(|| list_of_ids(field)).flatten();
    Weight::Objects {
        of,
        own: said_cost(description).unwrap_or(1),
        times: if said_cost(description).is_some() {
            1
        } else {
            items.saturating_pow(lists)
        },
        counted_by,
    }
}

/// What a description says a field costs: "Costs 2000 points."
fn said_cost(description: &str) -> Option<u64> {
    let (_, rest) = description.split_once("Costs ")?;
    rest.split_once(" points").and_then(|(number, _)| number.parse().ok())
}

fn base(kind: &Type) -> (&str, u32) {
    match &kind.base {
        BaseType::Named(name) => (name.as_str(), 0),
        BaseType::List(item) => {
            let (of, lists) = base(item);
            (of, lists + 1)
        }
    }
}

fn default_page(field: &FieldDefinition) -> u64 {
    let first = field
        .arguments
        .iter()
        .find(|argument| argument.node.name.node == "first");
    match first
        .and_then(|argument| argument.node.default_value.as_ref())
        .map(|default| &default.node)
    {
        Some(Value::Number(page)) => page.as_u64().unwrap_or(DEFAULT_PAGE),
        _ => DEFAULT_PAGE,
    }
}

/// A list that answers to a list of IDs is as long as that.
fn list_of_ids(field: &FieldDefinition) -> Option<String> {
    let ids = field
        .arguments
        .iter()
        .find(|argument| argument.node.name.node == "ids")?;
    matches!(ids.node.ty.node.base, BaseType::List(_)).then(|| ids.node.name.node.to_string())
}

/// The N of "at most N" in a description.
fn at_most(description: &str) -> Option<u64> {
    let lower = description.to_ascii_lowercase();
    let (_, after) = lower.split_once("at most ")?;
    let digits: String = after
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.parse().ok()
}

/// The introspection schema, with the averages of this schema for the lengths of its lists.
fn introspection(types: &[&TypeDefinition], directives: u64) -> HashMap<String, HashMap<String, Weight>> {
    let count = |sum: usize| u64::try_from(sum).unwrap_or(u64::MAX);
    let fields = count(types.iter().map(|kind| fields_of(kind).count()).sum());
    let arguments = count(
        types
            .iter()
            .flat_map(fields_of)
            .map(|field| field.arguments.len())
            .sum(),
    );
    let all = count(types.len()).max(1);
    let (mut inputs, mut values) = (0_u64, 0_u64);
    for kind in types {
        match &kind.kind {
            TypeKind::InputObject(input) => inputs += count(input.fields.len()),
            TypeKind::Enum(choices) => values += count(choices.values.len()),
            _ => {}
        }
    }
    let (fields_a_type, arguments_a_field) = (fields.div_ceil(all), arguments.div_ceil(fields.max(1)));
    let objects = |of: &str, own, times| Weight::Objects {
        of: of.to_owned(),
        own,
        times,
        counted_by: None,
    };
    let rows = [
        ("__Schema", "types", objects("__Type", 1, all)),
        ("__Schema", "queryType", objects("__Type", 1, 1)),
        ("__Schema", "mutationType", objects("__Type", 1, 1)),
        ("__Schema", "subscriptionType", objects("__Type", 1, 1)),
        ("__Schema", "directives", objects("__Directive", 1, directives)),
        ("__Type", "fields", objects("__Field", 1, fields_a_type)),
        (
            "__Type",
            "inputFields",
            objects("__InputValue", 1, inputs.div_ceil(all)),
        ),
        ("__Type", "enumValues", objects("__EnumValue", 1, values.div_ceil(all))),
        ("__Type", "interfaces", objects("__Type", 1, 1)),
        ("__Type", "possibleTypes", objects("__Type", 1, 1)),
        // Nearly always null past the second: the names of wrapped types.
        ("__Type", "ofType", objects("__Type", 0, 1)),
        ("__Field", "args", objects("__InputValue", 1, arguments_a_field)),
        ("__Field", "type", objects("__Type", 1, 1)),
        ("__InputValue", "type", objects("__Type", 1, 1)),
        ("__Directive", "args", objects("__InputValue", 1, 1)),
    ];
    let mut table: HashMap<String, HashMap<String, Weight>> = HashMap::new();
    for (owner, field, weight) in rows {
        table
            .entry(owner.to_owned())
            .or_default()
            .insert(field.to_owned(), weight);
    }
    table
}
