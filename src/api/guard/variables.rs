//! The variables of the chosen operation before execution: the executor would find a missing one only inside the field
//! that reads it, in a mutation possibly after an earlier field ran.

use async_graphql::{ServerError, Value, Variables, parser::types::OperationDefinition};

use crate::api::codes::{RequestCode, request_error};

/// Fills in the defaults of absent variables, as the GraphQL specification coerces them; `@include` and `@skip` would
/// otherwise read an absent variable as false.
///
/// # Errors
/// `BAD_USER_INPUT` where a non-null variable is absent without a default, or null.
pub fn complete(operation: &OperationDefinition, variables: &mut Variables) -> Result<(), ServerError> {
    for definition in &operation.variable_definitions {
        let variable = &definition.node;
        let name = &variable.name.node;
        match (variables.get(name), &variable.default_value) {
            (None, Some(default)) => {
                variables.insert(name.clone(), default.node.clone());
            }
            (None | Some(Value::Null), _) if !variable.var_type.node.nullable => {
                let message = format!("The variable ${name} is required and must not be null.");
                return Err(request_error(RequestCode::BadUserInput, message, Some(definition.pos)));
            }
            _ => {}
        }
    }
    Ok(())
}
