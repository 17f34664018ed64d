//! Values as JSON, in the encoding of the golden records.
//!
//! | JSON | value |
//! | --- | --- |
//! | `3` | an integer; `true` and `false` are read as 1 and 0 |
//! | `null` | none |
//! | `{"g": ["012", "300"]}` | a grid |
//! | `{"t": […]}` | any other tuple |
//! | `{"x": [[i, j], …]}` | a set of pairs, not empty |
//! | `{"o": [[c, i, j], …]}` | a set of cells, not empty |
//! | `{"s": […]}` | any other set |
//! | `{"fn": "rot90"}` | a primitive |
//! | `{"fn": "compose", "args": […]}` | the function that a primitive makes of these |

use serde_json::{Value as Json, json};

use super::{Grid, Made, Value};
use crate::{machine::Machine, primitives::Primitive};

impl Value {
    /// Reads a value; functions and sets are made by the machine, in its order.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn from_json(json: &Json, machine: &mut Machine) -> Result<Value, String> {
        let wrong = || format!("not a value: {json}");
        let object = match json {
            Json::Null => return Ok(Value::None),
            Json::Bool(truth) => return Ok(Value::truth(*truth)),
            Json::Number(number) => return number.as_i64().map(Value::Integer).ok_or_else(wrong),
            Json::Object(object) => object,
            _ => return Err(wrong()),
        };
        let list = |name: &str| object.get(name).and_then(Json::as_array);
        let integer = |json: &Json| json.as_i64().ok_or_else(wrong);
        if let Some(rows) = list("g") {
            let mut cells = Vec::new();
            for row in rows {
                let row = row.as_str().ok_or_else(wrong)?;
                cells.extend(row.bytes().map(|digit| digit.wrapping_sub(b'0')));
            }
            let width = cells.len() / rows.len().max(1);
            let full = width > 0 && width * rows.len() == cells.len() && cells.iter().all(|cell| *cell < 10);
            return full.then(|| Value::grid(Grid::new(rows.len() as u32, width as u32, cells))).ok_or_else(wrong);
        }
        if let Some(items) = list("t") {
            let items = items.iter().map(|item| Value::from_json(item, machine)).collect::<Result<_, _>>()?;
            return Ok(Value::tuple(items));
        }
        let members: Option<Vec<Value>> = if let Some(pairs) = list("x") {
            let pair = |pair: &Json| Ok(Value::pair(integer(&pair[0])?, integer(&pair[1])?));
            Some(pairs.iter().map(pair).collect::<Result<_, String>>()?)
        } else if let Some(cells) = list("o") {
            let cell = |cell: &Json| {
                Ok(Value::tuple(vec![
                    Value::Integer(integer(&cell[0])?),
                    Value::pair(integer(&cell[1])?, integer(&cell[2])?),
                ]))
            };
            Some(cells.iter().map(cell).collect::<Result<_, String>>()?)
        } else if let Some(members) = list("s") {
            Some(members.iter().map(|member| Value::from_json(member, machine)).collect::<Result<_, _>>()?)
        } else {
            None
        };
        if let Some(members) = members {
            return machine.set_of(members).map_err(|fault| fault.to_string());
        }
        let name = object.get("fn").and_then(Json::as_str).ok_or_else(wrong)?;
        let primitive = Primitive::named(name).ok_or_else(|| format!("no primitive `{name}`"))?;
        let Some(arguments) = list("args") else { return Ok(Value::Primitive(primitive)) };
        let arguments: Vec<Value> =
            arguments.iter().map(|argument| Value::from_json(argument, machine)).collect::<Result<_, _>>()?;
        machine.call(&Value::Primitive(primitive), &arguments).map_err(|fault| fault.to_string())
    }

    /// The one text of the value.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let list = |values: &mut dyn Iterator<Item = Value>| values.map(|value| value.to_json()).collect::<Vec<_>>();
        if let Some(grid) = self.as_grid() {
            let text = |row: &[u8]| row.iter().map(|cell| char::from(b'0' + cell)).collect::<String>();
            return json!({ "g": grid.rows().map(text).collect::<Vec<_>>() });
        }
        if let Some(slots) = self.slots() {
            return json!({ "t": list(&mut (0..slots.len()).map(|at| slots.get(at))) });
        }
        if let Some(members) = self.sorted_members() {
            let pairs: Option<Vec<[i64; 2]>> = members.iter().map(Value::as_pair).collect();
            let cells: Option<Vec<[i64; 3]>> = members.iter().map(Value::as_cell).collect();
            return match (pairs, cells) {
                (Some(pairs), _) if !pairs.is_empty() => json!({ "x": pairs }),
                (_, Some(cells)) if !cells.is_empty() => json!({ "o": cells }),
                _ => json!({ "s": list(&mut members.into_iter()) }),
            };
        }
        let made = |name: &str, arguments: &[&Value]| json!({ "fn": name, "args": arguments.iter().map(|argument| argument.to_json()).collect::<Vec<_>>() });
        match self {
            Value::Integer(integer) => json!(integer),
            Value::Primitive(primitive) => json!({ "fn": primitive.row().name }),
            Value::Closure(closure) => match &closure.made {
                Made::Compose(outer, inner) => made("compose", &[outer, inner]),
                Made::Chain(h, g, f) => made("chain", &[h, g, f]),
                Made::Matcher(function, target) => made("matcher", &[function, target]),
                Made::RightBound(function, fixed) => made("rbind", &[function, fixed]),
                Made::LeftBound(function, fixed) => made("lbind", &[function, fixed]),
                Made::Power(function, times) => made("power", &[function, &Value::Integer(i64::from(*times))]),
                Made::Fork(outer, a, b) => made("fork", &[outer, a, b]),
            },
            _ => Json::Null,
        }
    }

    /// Two integers in a tuple.
    #[must_use]
    pub fn as_pair(&self) -> Option<[i64; 2]> {
        if let Value::Pair(row, column) = self {
            return Some([i64::from(*row), i64::from(*column)]);
        }
        let slots = self.slots().filter(|slots| slots.len() == 2)?;
        match (slots.get(0), slots.get(1)) {
            (Value::Integer(first), Value::Integer(second)) => Some([first, second]),
            _ => None,
        }
    }

    /// An integer and a pair of integers in a tuple.
    #[must_use]
    pub fn as_cell(&self) -> Option<[i64; 3]> {
        let slots = self.slots().filter(|slots| slots.len() == 2)?;
        match (slots.get(0), slots.get(1).as_pair()) {
            (Value::Integer(color), Some([row, column])) => Some([color, row, column]),
            _ => None,
        }
    }
}
