"""The Studio: the playground as a Gradio app, whose every action is an endpoint and an MCP tool as well."""
