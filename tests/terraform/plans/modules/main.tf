resource "aws_iam_group" "people" { name = "people" }
moved {
  from = aws_iam_user.first
  to   = aws_iam_user.renamed
}
resource "aws_iam_user" "renamed" { name = "ann" }
resource "aws_iam_user_group_membership" "ann" {
  user   = aws_iam_user.renamed.name
  groups = [aws_iam_group.people.name]
}
import {
  to = aws_iam_role.byhand
  id = "byhand"
}
resource "aws_iam_role" "byhand" {
  name               = "byhand"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_iam_policy" "shared" {
  name   = "shared"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sns:Publish", Resource = "*" }] })
}
resource "aws_s3_bucket" "data" {
  bucket = "customer-data"
  tags   = { classification = "confidential" }
}
module "agents" {
  source   = "./modules/role"
  for_each = toset(["triage", "reply"])
  name     = each.key
  bucket   = aws_s3_bucket.data.arn
}
resource "aws_iam_role_policy_attachment" "shared" {
  for_each   = module.agents
  role       = each.value.name
  policy_arn = aws_iam_policy.shared.arn
}
resource "aws_iam_policy" "many" {
  count = 2
  name  = "many-${count.index}"
  policy = data.aws_iam_policy_document.many.json
}
data "aws_iam_policy_document" "many" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket", "s3:PutObject"]
    resources = [aws_s3_bucket.data.arn, "${aws_s3_bucket.data.arn}/*"]
  }
}
resource "aws_iam_group_policy_attachment" "many" {
  count      = 2
  group      = aws_iam_group.people.name
  policy_arn = aws_iam_policy.many[count.index].arn
}
