resource "aws_iam_role" "task" {
  name               = "task"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["ecs-tasks.amazonaws.com", "sagemaker.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"] } }] })
}
resource "aws_iam_instance_profile" "vm" {
  name = "vm"
  role = aws_iam_role.task.name
}
resource "aws_iam_role_policy" "task" {
  name   = "run"
  role   = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}
resource "aws_ecs_cluster" "main" { name = "main" }
resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([{ name = "web", image = "repo/web:1", essential = true, memory = 128, environment = [{ name = "TOKEN", value = "hush-canary-value" }] }])
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.task.arn
  package_type  = "Image"
  image_uri     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"
  environment { variables = { API_KEY = "hush-canary-value" } }
}
resource "aws_sagemaker_model" "m" {
  name               = "m"
  execution_role_arn = aws_iam_role.task.arn
  primary_container { image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/llm:1" }
}
resource "aws_sagemaker_endpoint_configuration" "m" {
  name = "m"
  production_variants {
    model_name             = aws_sagemaker_model.m.name
    variant_name           = "a"
    initial_instance_count = 1
    instance_type          = "ml.t2.medium"
  }
}
resource "aws_sagemaker_endpoint" "m" {
  name                 = "m"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.m.name
}
resource "aws_instance" "vm" {
  ami                  = "ami-12345678"
  instance_type        = "t3.micro"
  iam_instance_profile = aws_iam_instance_profile.vm.name
  user_data            = "hush-canary-value"
}
