//! The API's OpenAPI document, made from what the API itself is made of: the table of endpoints, the types that
//! handlers take and give, and the bounds that requests are held to.

use std::collections::BTreeMap;

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use traffic::wire::VERSION;

use super::endpoints::endpoints;
use super::failure::ErrorBody;
use super::spec;

/// Where the document keeps its types.
const SCHEMAS: &str = "#/components/schemas/";

/// One method of one path, as the document describes it. Statuses of errors carry [`ErrorBody`].
#[derive(Debug)]
pub struct Operation {
    id: &'static str,
    summary: &'static str,
    path_parameters: Vec<Value>,
    query: Option<SchemaOf>,
    body: Option<Body>,
    answer: Answer,
    failures: BTreeMap<u16, &'static str>,
}

#[derive(Debug)]
struct Body {
    schema: SchemaOf,
    example: Value,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    says: &'static str,
    /// Content type and what is in it; none without a body.
    content: Option<(&'static str, SchemaOf)>,
    links: Value,
}

/// Gives a type's schema, and leaves the types that it names with the generator.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Value;

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

impl Operation {
    /// One that answers with JSON.
    pub fn json<T: JsonSchema>(id: &'static str, summary: &'static str) -> Operation {
        Operation::text(id, summary, "application/json", schema_of::<T>)
    }

    /// One that answers with another kind of text.
    pub fn text(
        id: &'static str,
        summary: &'static str,
        content_type: &'static str,
        schema: SchemaOf,
    ) -> Operation {
        let content = Some((content_type, schema));
        Operation {
            id,
            summary,
            path_parameters: Vec::new(),
            query: None,
            body: None,
            answer: Answer { status: 200, says: "As asked", content, links: Value::Null },
            failures: BTreeMap::from([(403, "The request comes from a web page")]),
        }
    }

    /// One that answers with nothing.
    pub fn empty(id: &'static str, summary: &'static str) -> Operation {
        let mut operation = Operation::json::<()>(id, summary);
        operation.answer = Answer { status: 204, says: "Done", content: None, links: Value::Null };
        operation
    }

    /// Takes the run's id in the path.
    pub fn of_run(mut self) -> Operation {
        self.path_parameters.push(json!({
            "name": "id", "in": "path", "required": true, "description": "The run's name",
            "schema": { "type": "string", "minLength": 1 },
        }));
        self.fails(400, "The path is no text")
            .fails(404, "There is no such run")
            .fails(500, "The agent failed")
    }

    /// Takes these parameters.
    pub fn query<T: JsonSchema>(mut self) -> Operation {
        self.query = Some(schema_of::<T>);
        self.fails(400, "A parameter is unknown, missing or out of its bounds")
    }

    /// Takes a body of JSON.
    pub fn body<T: JsonSchema>(mut self, example: Value) -> Operation {
        self.body = Some(Body { schema: schema_of::<T>, example });
        self.fails(400, "The body is not what it should be")
            .fails(408, "The body did not come in time")
            .fails(413, "The body is too large")
            .fails(415, "The body is not said to be JSON")
    }

    /// Answers with 201, and what is made can be asked for by these operations.
    pub fn creates(mut self, says: &'static str, linked: &[&str]) -> Operation {
        let link = |id: &&str| {
            let target = json!({ "operationId": id, "parameters": { "id": "$response.body#/id" } });
            ((*id).to_owned(), target)
        };
        self.answer.status = 201;
        self.answer.says = says;
        self.answer.links = Value::Object(linked.iter().map(link).collect());
        self
    }

    /// May fail so.
    pub fn fails(mut self, status: u16, says: &'static str) -> Operation {
        self.failures.insert(status, says);
        self
    }

    fn describe(&self, given: &mut SchemaGenerator, taken: &mut SchemaGenerator) -> Value {
        let mut operation = json!({ "operationId": self.id, "summary": self.summary });
        let mut parameters = self.path_parameters.clone();
        if let Some(query) = self.query {
            let schema = query(taken);
            parameters.extend(query_parameters(&schema, taken));
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = &self.body {
            let schema = (body.schema)(taken);
            let content = json!({ "application/json": { "schema": schema, "example": body.example } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        let mut responses = Map::new();
        for (status, says) in &self.failures {
            let schema = schema_of::<ErrorBody>(given);
            let content = json!({ "application/json": { "schema": schema } });
            responses.insert(status.to_string(), json!({ "description": says, "content": content }));
        }
        let mut answer = json!({ "description": self.answer.says });
        if let Some((kind, schema)) = self.answer.content {
            answer["content"] = json!({ kind: { "schema": schema(given) } });
        }
        if !self.answer.links.is_null() {
            answer["links"] = self.answer.links.clone();
        }
        responses.insert(self.answer.status.to_string(), answer);
        operation["responses"] = responses.into();
        operation
    }
}

/// One parameter a field of the struct that the handler takes.
fn query_parameters(schema: &Value, generator: &mut SchemaGenerator) -> Vec<Value> {
    let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix(SCHEMAS)).unwrap_or_default();
    // Its fields are parameters; as a type of its own nobody needs it.
    let Some(object) = generator.definitions_mut().remove(name) else { return Vec::new() };
    let required = |name: &str| {
        object["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
    };
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        // What is optional is left out, never null.
        if let Some(kinds) = schema["type"].as_array() {
            schema["type"] = kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default();
        }
        if let Some(default) = schema.as_object_mut().and_then(|schema| schema.remove("default"))
            && !default.is_null()
        {
            schema["default"] = default;
        }
        let mut parameter =
            json!({ "name": name, "in": "query", "required": required(name), "description": description });
        parameter["schema"] = schema;
        parameter
    };
    object["properties"].as_object().into_iter().flatten().map(parameter).collect()
}

fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.trim_start_matches('#').trim_end_matches('/').to_owned().into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.into_generator()
}

/// What is described: the paths, the types that answers are made of, those that requests are made of.
fn parts() -> [Map<String, Value>; 3] {
    let (mut given, mut taken) = (generator(Contract::Serialize), generator(Contract::Deserialize));
    let mut paths = Map::new();
    for endpoint in endpoints() {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_lowercase()] = endpoint.operation.describe(&mut given, &mut taken);
    }
    [paths, given.take_definitions(true), taken.take_definitions(true)]
}

/// The whole document.
pub fn document() -> Value {
    let [paths, given, mut schemas] = parts();
    // What both sides say means the same on both: a test sees to it.
    schemas.extend(given);
    refine(&mut schemas);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "dpdk-k8s-bench agent",
            "version": env!("CARGO_PKG_VERSION"),
            "x-wire-version": VERSION,
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:8480" }],
        "paths": paths,
        "components": { "schemas": schemas },
    });
    spell_out(&mut document);
    document
}

/// Formats that only Rust knows, as bounds that everybody does.
fn spell_out(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(spell_out),
        Value::Object(object) => {
            object.values_mut().for_each(spell_out);
            let bounds: Option<(Value, Value)> = match object.get("format").and_then(Value::as_str) {
                Some("uint8") => Some((0.into(), u8::MAX.into())),
                Some("uint16") => Some((0.into(), u16::MAX.into())),
                Some("uint32") => Some((0.into(), u32::MAX.into())),
                Some("uint64" | "uint") => Some((0.into(), u64::MAX.into())),
                Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
                Some("ip") => {
                    object.remove("format");
                    object.insert("anyOf".to_owned(), json!([{ "format": "ipv4" }, { "format": "ipv6" }]));
                    None
                }
                _ => None,
            };
            if let Some((least, most)) = bounds {
                object.entry("minimum").or_insert(least);
                object.entry("maximum").or_insert(most);
            }
        }
        _ => {}
    }
}

const DESCRIPTION: &str = "Prepares, starts, watches and ends traffic engines in one pod. Every error is JSON: \
    {\"error\": \"a sentence with the next step\"}. A path answers methods that it does not take with 405, and there is \
    404 where there is nothing. Connections are kept open for 120 s between requests.";

/// Bounds that are rules of the agent's rather than of a type.
fn refine(schemas: &mut Map<String, Value>) {
    // The profile's schema says what these texts look like.
    let profile = traffic::profile::schema::schema();
    for name in ["Mac", "Rate"] {
        if let Some(schema) = schemas.get_mut(name) {
            schema["pattern"] = profile["$defs"][name]["pattern"].clone();
        }
    }
    let Some(spec) = schemas.get_mut("RunSpec").and_then(|schema| schema.get_mut("properties")) else {
        return;
    };
    spec["version"] =
        json!({ "const": VERSION, "type": "integer", "description": spec["version"]["description"] });
    spec["id"]["pattern"] = spec::ID_PATTERN.into();
    spec["device"]["pattern"] = spec::DEVICE_PATTERN.into();
    for bound in spec::BOUNDS {
        spec[bound.name]["minimum"] = bound.least.into();
        spec[bound.name]["maximum"] = bound.most.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_means_the_same_in_requests_and_in_answers() {
        let [_, given, taken] = parts();
        let both: Vec<&String> = given.keys().filter(|name| taken.contains_key(*name)).collect();
        assert!(both.iter().any(|name| *name == "ClockId"), "{both:?}");
        for name in both {
            assert_eq!(given[name], taken[name], "{name}");
        }
    }

    #[test]
    fn bounds_are_those_of_settings_that_there_are() {
        let [.., taken] = parts();
        for bound in spec::BOUNDS {
            assert!(taken["RunSpec"]["properties"][bound.name]["format"].is_string(), "{}", bound.name);
        }
        let document = document();
        let spec = &document["components"]["schemas"]["RunSpec"]["properties"];
        assert_eq!((&spec["burst"]["minimum"], &spec["burst"]["maximum"]), (&json!(1), &json!(64)));
        let parameters = &document["paths"]["/v1/runs/{id}"]["get"]["parameters"];
        let states = parameters.as_array().unwrap().iter().find(|one| one["name"] == "state").unwrap();
        for state in document["components"]["schemas"]["RunState"]["oneOf"].as_array().unwrap() {
            let word = state["const"].as_str().unwrap();
            let pattern = states["schema"]["pattern"].as_str().unwrap();
            assert_eq!(pattern.matches(word).count(), 2, "{word}");
        }
        assert_eq!(spec["version"]["const"], VERSION);
        assert_eq!(spec["tag"]["maximum"], u32::MAX);
    }
}
