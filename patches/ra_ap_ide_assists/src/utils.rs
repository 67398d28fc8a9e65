//! What `ra_ap_ide` uses for its runnables and joined lines.

use syntax::AstNode as _;
use syntax::ast::{self, HasAttrs as _};

/// The attribute that makes a function a test: `#[test]`, `#[tokio::test]`, ….
pub fn test_related_attribute_syn(function: &ast::Fn) -> Option<ast::Attr> {
    function.attrs().find(|attribute| {
        let name = attribute.path().map(|path| path.syntax().to_string());
        name.is_some_and(|name| name.starts_with("test") || name.ends_with("test"))
    })
}

/// Whether attributes make a function a test.
pub fn has_test_related_attribute(attributes: &hir::AttrsWithOwner) -> bool {
    attributes.is_test()
}

/// No block is known to be one expression, so that lines of none are joined.
pub fn extract_trivial_expression(_: &ast::BlockExpr) -> Option<ast::Expr> {
    None
}
